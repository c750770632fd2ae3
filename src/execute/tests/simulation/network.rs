//! What lies between a process and the tenant: answers are late, overtake each other, or are lost, before or after their
//! request had its effect; a request that was given up may still land.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use tokio::sync::oneshot;

use super::TIMEOUT;
use super::judge::Judge;
use super::tenant::{Answer, Ask, Asked, Tenant, html, patience, refusal};
use super::world::World;
use crate::connectors::http::{Loss, Proof, Received, Transport};

/// How much goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// One request in so many.
    Foul(u64),
    Fair,
}

/// The network as one process has it.
pub struct Network {
    pub world: World,
    pub tenant: Arc<Tenant>,
    pub judge: Arc<Judge>,
    pub weather: Weather,
}

/// What becomes of one request.
enum Fate {
    /// No connection comes about.
    Unsent,
    /// It arrives, and is answered.
    Answered(Twist),
    /// It never arrives.
    LostBefore(GivenUp),
    /// It arrives, and its answer is lost.
    LostAfter(GivenUp),
    /// It is given up before it arrives.
    Late(GivenUp),
}

/// How the lack of an answer shows.
#[derive(Clone, Copy)]
enum GivenUp {
    /// The connection breaks.
    Reset,
    /// Nothing comes for as long as anybody waits.
    Silence,
}

/// What the server makes of a request that arrives.
#[derive(Clone, Copy, Debug)]
enum Twist {
    Nothing,
    FailsBefore,
    FailsAfter,
    /// 429, with the seconds asked for.
    TooMany(Option<u64>),
    /// 503, with the seconds asked for, after the effect or without it.
    Overloaded(u64, bool),
    Refused,
    Html,
    TokensExpire,
    OthersUse(u64),
}

impl Transport for Network {
    fn exchange_messages<'a>(
        &'a self,
        request: reqwest::Request,
        _url: &'a Url,
    ) -> BoxFuture<'a, Result<Received, Loss>> {
        Box::pin(async move {
            let asked = read(&request);
            let trip = self.judge.departs(&asked);
            let result = self.travel(asked).await;
            self.judge.returns(trip, result.as_ref().ok().map(|(_, headers, _)| headers));
            result
        })
    }
}

impl Network {
    async fn travel(&self, asked: Asked) -> Result<Received, Loss> {
        let fate = self.fate(&asked);
        let moment = || self.world.up_to(Duration::from_millis(800));
        match fate {
            Fate::Unsent => {
                self.world.sleep(moment()).await;
                self.world.tell(|| format!("no connection for {:?}", name(&asked)));
                Err(loss(Proof::Unsent))
            }
            Fate::Answered(twist) => {
                // Now and then as slow as nobody waits for.
                let slow = self.weather != Weather::Fair && self.world.one_in(60);
                let there = if slow { self.world.up_to(2 * TIMEOUT) } else { moment() };
                self.answered(asked, twist, there, moment()).await
            }
            Fate::LostBefore(given_up) => {
                self.world.tell(|| format!("{:?} is lost before its effect", name(&asked)));
                self.give_up(given_up, moment()).await
            }
            Fate::LostAfter(given_up) => {
                let there = moment();
                let _cut = self.send(asked, Twist::Nothing, there, |_| {});
                self.give_up(given_up, there + moment()).await
            }
            Fate::Late(given_up) => {
                let until = match given_up {
                    GivenUp::Reset => moment(),
                    GivenUp::Silence => TIMEOUT,
                };
                let late = until + self.world.up_to(TIMEOUT);
                let _cut = self.send(asked, Twist::Nothing, late, |_| {});
                self.give_up(given_up, until).await
            }
        }
    }

    async fn answered(&self, asked: Asked, twist: Twist, there: Duration, back: Duration) -> Result<Received, Loss> {
        let (done, answer) = oneshot::channel();
        let world = self.world.clone();
        let _cut = self.send(asked, twist, there, move |answer| {
            world.after(back, move || {
                let _ = done.send(answer);
            });
        });
        tokio::select! {
            biased;
            Ok(answer) = answer => Ok(received(answer)),
            () = self.world.sleep(TIMEOUT) => Err(loss(Proof::Nothing)),
        }
    }

    async fn give_up(&self, given_up: GivenUp, moment: Duration) -> Result<Received, Loss> {
        self.world
            .sleep(match given_up {
                GivenUp::Reset => moment,
                GivenUp::Silence => TIMEOUT,
            })
            .await;
        Err(loss(Proof::Nothing))
    }

    /// Lets a request arrive. It does so even if the process dies; but once nobody waits for its answer any more, it has
    /// no longer than a timeout for it.
    fn send(&self, asked: Asked, twist: Twist, there: Duration, answered: impl FnOnce(Answer) + Send + 'static) -> Cut {
        let deadline = Arc::new(Mutex::new(None));
        let cut = Cut { world: self.world.clone(), deadline: Arc::clone(&deadline) };
        let (world, tenant) = (self.world.clone(), Arc::clone(&self.tenant));
        self.world.after(there, move || {
            let deadline: Option<Duration> = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
            if deadline.is_some_and(|deadline| world.now() >= deadline) {
                world.tell(|| format!("{:?} arrives nowhere", name(&asked)));
                return;
            }
            let late = if deadline.is_some() { " late" } else { "" };
            world.tell(|| format!("{:?} arrives{late}, {twist:?}", name(&asked)));
            answered(arrive(&world, &tenant, &asked, twist));
        });
        cut
    }

    fn fate(&self, asked: &Asked) -> Fate {
        let Weather::Foul(one_in) = self.weather else { return Fate::Answered(Twist::Nothing) };
        if !self.world.one_in(one_in) {
            return Fate::Answered(Twist::Nothing);
        }
        let given_up = if self.world.one_in(2) { GivenUp::Reset } else { GivenUp::Silence };
        let writes = matches!(asked.ask, Ask::Create(_) | Ask::Update { .. });
        Fate::Answered(match self.world.below(16) {
            0 => return Fate::Unsent,
            1 | 2 => return Fate::LostBefore(given_up),
            3 | 4 => return Fate::LostAfter(given_up),
            5 | 6 => return Fate::Late(given_up),
            7 => Twist::FailsBefore,
            8 => Twist::FailsAfter,
            9 => Twist::TooMany(Some(1 + self.world.below(90))),
            10 => Twist::TooMany(if self.world.one_in(4) { Some(400) } else { None }),
            11 => Twist::Overloaded(1 + self.world.below(60), self.world.one_in(2)),
            12 if writes => Twist::Refused,
            13 => Twist::Html,
            14 => Twist::TokensExpire,
            _ => Twist::OthersUse(1 + self.world.below(self.tenant.limit / 3)),
        })
    }
}

/// The answer of the server, which does what is asked, or not, as the twist has it.
fn arrive(world: &World, tenant: &Tenant, asked: &Asked, twist: Twist) -> Answer {
    // What the server says of itself is said with every answer.
    let instead = |answer: Answer, does: bool| {
        let real = tenant.arrive(asked, does);
        let said = answer.headers.iter().any(|(name, _)| *name == "retry-after");
        let headers = real.headers.into_iter().filter(|(name, _)| *name != "access_token");
        let headers = headers.filter(|(name, _)| !(said && *name == "retry-after"));
        Answer { headers: answer.headers.into_iter().chain(headers).collect(), ..answer }
    };
    match twist {
        Twist::Nothing => tenant.arrive(asked, true),
        Twist::FailsBefore => instead(refusal(500, 2007, "internal error"), false),
        Twist::FailsAfter => instead(refusal(500, 2007, "internal error"), true),
        Twist::TooMany(seconds) => instead(patience(429, seconds), false),
        Twist::Overloaded(seconds, does) => instead(patience(503, Some(seconds)), does),
        Twist::Refused => instead(refusal(400, 3115, "request invalid"), false),
        Twist::Html => instead(html(if world.one_in(2) { 200 } else { 502 }), world.one_in(2)),
        Twist::TokensExpire => {
            tenant.expire_tokens();
            tenant.arrive(asked, true)
        }
        Twist::OthersUse(requests) => {
            tenant.others_use(requests);
            tenant.arrive(asked, true)
        }
    }
}

/// Nobody waits for the answer any more once this is dropped, be it that the process died.
struct Cut {
    world: World,
    deadline: Arc<Mutex<Option<Duration>>>,
}

impl Drop for Cut {
    fn drop(&mut self) {
        let deadline = self.world.now() + TIMEOUT;
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
    }
}

fn read(request: &reqwest::Request) -> Asked {
    let body = || {
        let bytes = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        serde_json::from_slice(bytes).expect("a body is an object")
    };
    let path = request.url().path().strip_prefix("/v3.1").unwrap_or_default();
    let id = |path: &str| path.trim_start_matches("/users/").parse().expect("an id is a number");
    let ask = match (request.method().as_str(), path) {
        ("GET", "/authorize") => Ask::Authorize,
        ("GET", "/users/") => {
            let page = request.url().query_pairs().find(|(name, _)| name == "page");
            Ask::List { page: page.and_then(|(_, page)| page.parse().ok()).expect("a list has a page") }
        }
        ("GET", path) => Ask::Get { id: id(path) },
        ("POST", "/users") => Ask::Create(body()),
        ("PATCH", path) => Ask::Update { id: id(path), fields: body() },
        other => panic!("imi.chat has no {other:?}"),
    };
    let token = request.headers().get("access_token").and_then(|token| token.to_str().ok()).map(str::to_owned);
    Asked { ask, token }
}

/// What a request is about, without what makes it long.
pub fn name(asked: &Asked) -> String {
    match &asked.ask {
        Ask::Authorize => "sign in".to_owned(),
        Ask::List { page } => format!("list {page}"),
        Ask::Get { id } => format!("get {id}"),
        Ask::Create(fields) => format!("create {}", super::tenant::text(fields, "login_id")),
        Ask::Update { id, .. } => format!("update {id}"),
    }
}

fn received(answer: Answer) -> Received {
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    (StatusCode::from_u16(answer.status).unwrap(), headers, Bytes::from(answer.body))
}

fn loss(proves: Proof) -> Loss {
    Loss { proves, message: "no answer".to_owned() }
}
