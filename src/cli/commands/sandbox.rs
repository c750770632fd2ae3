//! `headcount sandbox`: a simulated tenant on loopback, until Ctrl-C.

use std::sync::Arc;
use std::time::Duration;

use crate::app::{AppError, ErrorKind};
use crate::cli::args::SandboxArgs;
use crate::cli::exit::Exit;
use crate::cli::output::StdoutFormat;
use crate::cli::terminal::Terminal;
use crate::connectors::KINDS;
use crate::sandbox::{Faults, Options, Seed, SimulatedQuota, start};

pub async fn run_sandbox(terminal: &Arc<Terminal>, args: &SandboxArgs) -> Result<u8, AppError> {
    terminal.start_log(None)?;
    terminal.listen_for_signals();
    let kind = KINDS.into_iter().find(|kind| kind.name == args.kind).ok_or_else(|| {
        let names = KINDS.map(|kind| kind.name).join(", ");
        AppError::new(ErrorKind::Sandbox, format!("there is no sandbox for {:?}; there are {names}", args.kind))
    })?;
    let options = Options {
        port: args.port,
        seed: args.seed.clone().map_or(Seed::Sample, Seed::File),
        state: args.keep.clone(),
        faults: args.faults.as_deref().map(Faults::load_script).transpose()?.unwrap_or_default(),
        latency: Duration::from_millis(args.latency),
        quota: SimulatedQuota { per_day: args.quota, ..SimulatedQuota::default() },
        clock: terminal.clock.clone(),
        ..Options::new((kind.simulate)())
    };
    let sandbox = start(options).await?;
    let base_url = sandbox.base_url();
    if terminal.global.format == StdoutFormat::Json {
        let mut printed = serde_json::json!({ "base_url": base_url });
        for (name, value) in kind.sandbox_login {
            printed[name] = (*value).into();
        }
        terminal.print_json(&printed)?;
    } else {
        let mut printed = format!("base_url = \"{base_url}\"\n");
        for (name, value) in kind.sandbox_login {
            printed.push_str(&format!("{name} = \"{value}\"\n"));
        }
        terminal.say(&format!("{printed}None of this is a secret. Ctrl-C ends it."));
    }
    terminal.stop.wait_requested().await;
    sandbox.stop().await?;
    Ok(Exit::Done as u8)
}
