//! `headcount sandbox`: a simulated tenant on loopback, until Ctrl-C.

use std::time::Duration;

use crate::cli::app::App;
use crate::cli::args::SandboxArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Format;
use crate::connectors::KINDS;
use crate::sandbox::{Faults, Options, Seed, SimulatedQuota, start};

pub async fn run(app: &App, args: &SandboxArgs) -> Result<Exit, Failure> {
    app.start_log(None)?;
    app.listen_for_signals();
    let kind = KINDS.into_iter().find(|kind| kind.name == args.kind).ok_or_else(|| {
        let names = KINDS.map(|kind| kind.name).join(", ");
        Failure::new("sandbox", format!("there is no sandbox for {:?}; there are {names}", args.kind))
    })?;
    let options = Options {
        port: args.port,
        seed: args.seed.clone().map_or(Seed::Sample, Seed::File),
        state: args.keep.clone(),
        faults: args.faults.as_deref().map(Faults::load_script).transpose()?.unwrap_or_default(),
        latency: Duration::from_millis(args.latency),
        quota: SimulatedQuota { per_day: args.quota, ..SimulatedQuota::default() },
        clock: app.clock.clone(),
        ..Options::new((kind.simulate)())
    };
    let sandbox = start(options).await?;
    let base_url = sandbox.base_url();
    if app.global.format == Format::Json {
        let mut told = serde_json::json!({ "base_url": base_url });
        for (name, value) in kind.sandbox_login {
            told[name] = (*value).into();
        }
        app.print_json(&told)?;
    } else {
        let mut told = format!("base_url = \"{base_url}\"\n");
        for (name, value) in kind.sandbox_login {
            told.push_str(&format!("{name} = \"{value}\"\n"));
        }
        app.say(&format!("{told}None of this is a secret. Ctrl-C ends it."));
    }
    app.stop.wait_requested().await;
    sandbox.stop().await?;
    Ok(Exit::Done)
}
