//! `headcount sandbox`: a simulated tenant on loopback, until Ctrl-C.

use std::time::Duration;

use crate::cli::app::App;
use crate::cli::args::SandboxArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Format;
use crate::sandbox::{API_KEY, CLIENT_ID, CLIENT_SECRET, DOMAIN, Faults, Kind, Options, Quota, Seed, TOKEN, start};

pub async fn run(app: &App, args: &SandboxArgs) -> Result<Exit, Failure> {
    app.start_log(None)?;
    app.listen_for_signals();
    let kind: Kind = args.kind.parse()?;
    let options = Options {
        kind,
        port: args.port,
        seed: args.seed.clone().map_or(Seed::Sample, Seed::File),
        state: args.keep.clone(),
        faults: args.faults.as_deref().map(Faults::load).transpose()?.unwrap_or_default(),
        latency: Duration::from_millis(args.latency),
        quota: Quota { per_day: args.quota, ..Quota::default() },
        clock: app.clock.clone(),
        ..Options::default()
    };
    let sandbox = start(options).await?;
    let base_url = sandbox.base_url();
    if app.global.format == Format::Json {
        let mut told = serde_json::json!({ "base_url": base_url });
        for (name, value) in credentials(kind) {
            told[name] = (*value).into();
        }
        app.print_json(&told)?;
    } else {
        let mut told = format!("base_url = \"{base_url}\"\n");
        for (name, value) in credentials(kind) {
            told.push_str(&format!("{name} = \"{value}\"\n"));
        }
        app.say(&format!("{told}None of this is a secret. Ctrl-C ends it."));
    }
    app.stop.requested().await;
    sandbox.stop().await?;
    Ok(Exit::Done)
}

/// What signs a client in, by the names that the settings of the kind have.
fn credentials(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Imichat => &[("api_key", API_KEY), ("domain", DOMAIN)],
        Kind::Brightpattern => &[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET), ("scope", DOMAIN)],
        Kind::Scim => &[("token", TOKEN)],
    }
}
