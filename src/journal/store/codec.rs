//! Records as bytes, and the chain that binds them.
//!
//! A record's value is 16 bytes of chain and a payload. The payload starts with the version of this form (1) and the
//! kind of event; then run and time, then what the kind has: numbers as LEB128, texts with their length before them.
//! An intent takes about 40 bytes, chain included. A version that this program does not know is refused by name rather
//! than guessed at.
//!
//! The chain of record n is the first half of BLAKE3 over the chain of record n-1, n, and the payload.

use jiff::Timestamp;

use crate::journal::state::event::{EXISTS_ALREADY, NEVER_LEARNT};
use crate::journal::state::{Ending, Event, Outcome, RunHead, RunId, Selection, Step};
use crate::model::{AccountId, CommandName};

pub const VERSION: u8 = 1;

/// Half a BLAKE3 hash.
pub type Chain = [u8; 16];

/// What stands before the first record ever.
pub const GENESIS: Chain = [0; 16];

pub fn chain_record(before: &Chain, seq: u64, payload: &[u8]) -> Chain {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&seq.to_be_bytes()).update(payload);
    half_hash(&hasher.finalize())
}

pub fn half_hash(hash: &blake3::Hash) -> Chain {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

pub fn encode_event(event: &Event) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    out.extend([VERSION, event_kind(event)]);
    out.extend(event.run().number().to_be_bytes());
    put_time(&mut out, event.at());
    match event {
        Event::RunStarted { head, .. } => put_head(&mut out, head),
        Event::Intent { seq, step, attempt, .. } => {
            put_number(&mut out, *seq);
            out.push(step_byte(*step));
            put_number(&mut out, u64::from(*attempt));
        }
        Event::Outcome { seq, step, result, .. } => {
            put_number(&mut out, *seq);
            out.push(step_byte(*step));
            put_outcome(&mut out, result);
        }
        Event::RunPaused { why, .. } => put_text(&mut out, why),
        Event::RunResumed { .. } => {}
        Event::RunEnded { outcome, .. } => out.push(ending_byte(*outcome)),
    }
    out
}

/// # Errors
/// What is wrong with it, for a person.
pub fn decode_event(payload: &[u8]) -> Result<Event, String> {
    let mut bytes = Bytes(payload);
    let event = bytes.read_event()?;
    if bytes.0.is_empty() { Ok(event) } else { Err(format!("{} bytes too many", bytes.0.len())) }
}

fn event_kind(event: &Event) -> u8 {
    match event {
        Event::RunStarted { .. } => 1,
        Event::Intent { .. } => 2,
        Event::Outcome { .. } => 3,
        Event::RunPaused { .. } => 4,
        Event::RunResumed { .. } => 5,
        Event::RunEnded { .. } => 6,
    }
}

fn step_byte(step: Step) -> u8 {
    match step {
        Step::First => 0,
        Step::FollowUp => 1,
    }
}

fn ending_byte(ending: Ending) -> u8 {
    match ending {
        Ending::Complete => 1,
        Ending::Partial => 2,
        Ending::Failed => 3,
        Ending::Superseded => 4,
    }
}

fn put_outcome(out: &mut Vec<u8>, outcome: &Outcome) {
    match outcome {
        Outcome::Applied { account: None } => out.push(1),
        Outcome::Applied { account: Some(account) } => {
            out.push(2);
            put_text(out, account.as_str());
        }
        Outcome::Adopted { account } => {
            out.push(3);
            put_text(out, account.as_str());
        }
        Outcome::Failed { message, code, trxid } => {
            out.push(4);
            put_text(out, message);
            // One more than the code; 0 is none.
            put_number(out, code.map_or(0, |code| u64::from(code) + 1));
            out.push(u8::from(trxid.is_some()));
            if let Some(trxid) = trxid {
                put_text(out, trxid);
            }
        }
        Outcome::Skipped { message } => {
            out.push(5);
            put_text(out, message);
        }
        Outcome::Unknown { message } => {
            out.push(6);
            put_text(out, message);
        }
        Outcome::NotThere => out.push(7),
        Outcome::ExistsAlready { message } => {
            out.push(8);
            put_text(out, message);
        }
        Outcome::NeverLearnt => out.push(9),
    }
}

fn put_head(out: &mut Vec<u8>, head: &RunHead) {
    for text in [
        &head.tenant,
        &head.target,
        &head.plan,
        &head.plan_digest,
        head.command.name(),
        &head.source_digest,
        &head.config_digest,
    ] {
        put_text(out, text);
    }
    put_number(out, head.actions);
    put_texts(out, &head.approved);
    out.push(u8::from(head.selection.is_some()));
    if let Some(selection) = &head.selection {
        put_texts(out, &selection.only);
        // One more than the limit; 0 is none. No run reaches the last number.
        put_number(out, selection.limit.map_or(0, |limit| limit.saturating_add(1)));
    }
}

pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        // The low seven bits, and a mark that more follow.
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

fn put_texts(out: &mut Vec<u8>, texts: &[String]) {
    put_number(out, texts.len() as u64);
    for text in texts {
        put_text(out, text);
    }
}

pub fn put_time(out: &mut Vec<u8>, time: Timestamp) {
    // Seconds can be negative, and then the nanoseconds are too: both are mapped to numbers that are not.
    let zigzag = |n: i64| (n.unsigned_abs() << 1) | u64::from(n < 0);
    put_number(out, zigzag(time.as_second()));
    put_number(out, zigzag(i64::from(time.subsec_nanosecond())));
}

/// What is still to be read.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    fn read_event(&mut self) -> Result<Event, String> {
        let version = self.read_byte()?;
        if version != VERSION {
            return Err(format!("its form is version {version}, and this program knows {VERSION}"));
        }
        let kind = self.read_byte()?;
        let number = self.read_bytes(8)?.try_into().map(u64::from_be_bytes).map_err(|_| "a run".to_owned())?;
        let run = RunId::from_number(number).ok_or_else(|| format!("{number} is no run"))?;
        let at = self.read_time()?;
        Ok(match kind {
            1 => Event::RunStarted { run, at, head: Box::new(self.read_run_head()?) },
            2 => {
                let (seq, step) = (self.read_number()?, self.read_step()?);
                let attempt =
                    u32::try_from(self.read_number()?).map_err(|_| "an attempt beyond counting".to_owned())?;
                Event::Intent { run, at, seq, step, attempt }
            }
            3 => {
                let (seq, step) = (self.read_number()?, self.read_step()?);
                Event::Outcome { run, at, seq, step, result: self.read_outcome()? }
            }
            4 => Event::RunPaused { run, at, why: self.read_text()? },
            5 => Event::RunResumed { run, at },
            6 => Event::RunEnded { run, at, outcome: self.read_ending()? },
            kind => return Err(format!("{kind} is no kind of event")),
        })
    }

    fn read_outcome(&mut self) -> Result<Outcome, String> {
        Ok(match self.read_byte()? {
            1 => Outcome::Applied { account: None },
            2 => Outcome::Applied { account: Some(AccountId(self.read_text()?)) },
            3 => Outcome::Adopted { account: AccountId(self.read_text()?) },
            4 => {
                let message = self.read_text()?;
                let code = match self.read_number()? {
                    0 => None,
                    code => Some(u32::try_from(code - 1).map_err(|_| format!("{code} is no status code"))?),
                };
                let trxid = if self.read_flag()? { Some(self.read_text()?) } else { None };
                match (&*message, code, &trxid) {
                    // Older journals know it by its text.
                    (NEVER_LEARNT, None, None) => Outcome::NeverLearnt,
                    _ => Outcome::Failed { message, code, trxid },
                }
            }
            5 => Outcome::Skipped { message: self.read_text()? },
            6 => match self.read_text()? {
                // Older journals know it by its text.
                message if message.starts_with(EXISTS_ALREADY) => Outcome::ExistsAlready { message },
                message => Outcome::Unknown { message },
            },
            7 => Outcome::NotThere,
            8 => Outcome::ExistsAlready { message: self.read_text()? },
            9 => Outcome::NeverLearnt,
            byte => return Err(format!("{byte} is no outcome")),
        })
    }

    fn read_run_head(&mut self) -> Result<RunHead, String> {
        Ok(RunHead {
            tenant: self.read_text()?,
            target: self.read_text()?,
            plan: self.read_text()?,
            plan_digest: self.read_text()?,
            command: self.read_command()?,
            source_digest: self.read_text()?,
            config_digest: self.read_text()?,
            actions: self.read_number()?,
            approved: self.read_texts()?,
            selection: if self.read_flag()? {
                let only = self.read_texts()?;
                Some(Selection { only, limit: self.read_number()?.checked_sub(1) })
            } else {
                None
            },
        })
    }

    fn read_command(&mut self) -> Result<CommandName, String> {
        let name = self.read_text()?;
        CommandName::from_name(&name).ok_or_else(|| format!("{name} is no command"))
    }

    fn read_step(&mut self) -> Result<Step, String> {
        match self.read_byte()? {
            0 => Ok(Step::First),
            1 => Ok(Step::FollowUp),
            byte => Err(format!("{byte} is no step")),
        }
    }

    fn read_ending(&mut self) -> Result<Ending, String> {
        let byte = self.read_byte()?;
        Ending::ALL.into_iter().find(|e| ending_byte(*e) == byte).ok_or_else(|| format!("{byte} is no ending"))
    }

    fn read_flag(&mut self) -> Result<bool, String> {
        match self.read_byte()? {
            0 => Ok(false),
            1 => Ok(true),
            byte => Err(format!("{byte} is neither yes nor no")),
        }
    }

    pub fn read_time(&mut self) -> Result<Timestamp, String> {
        let signed = |n: u64| {
            let size = i64::try_from(n >> 1).unwrap_or(i64::MAX);
            if n & 1 == 1 { -size } else { size }
        };
        let (second, nanosecond) = (signed(self.read_number()?), signed(self.read_number()?));
        i32::try_from(nanosecond)
            .ok()
            .and_then(|nanosecond| Timestamp::new(second, nanosecond).ok())
            .ok_or_else(|| format!("{second} seconds and {nanosecond} nanoseconds are no time"))
    }

    pub fn read_text(&mut self) -> Result<String, String> {
        let length = usize::try_from(self.read_number()?).map_err(|_| "a text beyond memory".to_owned())?;
        let bytes = self.read_bytes(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "a text that is not UTF-8".to_owned())
    }

    pub fn read_texts(&mut self) -> Result<Vec<String>, String> {
        // Not `collect` with a capacity: the count is not to be trusted before the texts are there.
        let count = self.read_number()?;
        (0..count).map(|_| self.read_text()).collect()
    }

    pub fn read_number(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.read_byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number beyond 64 bits".to_owned())
    }

    pub fn read_byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.0.split_first().ok_or("it is cut short")?;
        self.0 = rest;
        Ok(*first)
    }

    pub fn read_bytes(&mut self, count: usize) -> Result<&[u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it is cut short")?;
        self.0 = rest;
        Ok(taken)
    }
}
