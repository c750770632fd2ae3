//! The signals that ask to stop. Listened for once and for all, so that one that comes while another is dealt with is not
//! missed.

/// Who probably sent a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SignalOrigin {
    /// Ctrl-C, which a terminal shows as `^C`.
    Keyboard,
    Elsewhere,
}

pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// None where they cannot be listened for; they end the process then, as they always did.
    pub fn start() -> Option<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
            Some(Self { interrupt, terminate })
        }
        #[cfg(not(unix))]
        Some(Self {})
    }

    /// Waits for the next one; none where none can come any more.
    pub async fn next(&mut self) -> Option<SignalOrigin> {
        #[cfg(unix)]
        {
            tokio::select! {
                got = self.interrupt.recv() => got.map(|()| SignalOrigin::Keyboard),
                got = self.terminate.recv() => got.map(|()| SignalOrigin::Elsewhere),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.ok().map(|()| SignalOrigin::Elsewhere)
    }
}
