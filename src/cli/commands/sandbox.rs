//! `headcount sandbox`: a simulated tenant on loopback, until Ctrl-C.

use std::time::Duration;

use crate::cli::app::App;
use crate::cli::args::SandboxArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Format;
use crate::sandbox::{API_KEY, DOMAIN, Faults, Options, Quota, Seed, start};

pub async fn run(app: &App, args: &SandboxArgs) -> Result<Exit, Failure> {
    app.start_log(None)?;
    app.listen_for_signals();
    let options = Options {
        kind: args.kind.parse()?,
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
        app.print_json(&serde_json::json!({ "base_url": base_url, "api_key": API_KEY, "domain": DOMAIN }))?;
    } else {
        app.say(&format!("base_url = \"{base_url}\"\napi_key  = {API_KEY} (it protects nothing)\ndomain   = \"{DOMAIN}\"\nCtrl-C ends it."));
    }
    app.stop.requested().await;
    sandbox.stop().await?;
    Ok(Exit::Done)
}
