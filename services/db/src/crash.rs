//! Named places where a process can be told to die, so that recovery is tested and not hoped for.

use tracing::error;

/// The crash points that exist: the state on disk just after each is described in
/// `docs/operations.md`.
pub const CRASH_POINTS: &[&str] = &["K1", "K2", "K4", "K5", "K6", "K8", "K11"];

/// A name that is no crash point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no crash point {0:?}: `branchline crash-points` lists them")]
pub struct UnknownCrashPoint(String);

/// The crash point that is armed, if any.
#[derive(Debug, Clone, Default)]
pub struct CrashPoints {
    armed: Option<&'static str>,
}

impl CrashPoints {
    /// Arms the point of that name.
    ///
    /// # Errors
    /// [`UnknownCrashPoint`] when no such point exists.
    pub fn armed_at(name: Option<&str>) -> Result<Self, UnknownCrashPoint> {
        let Some(name) = name else {
            return Ok(Self::default());
        };
        let known = CRASH_POINTS.iter().find(|point| **point == name);
        known
            .map(|point| Self { armed: Some(point) })
            .ok_or_else(|| UnknownCrashPoint(name.to_owned()))
    }

    /// Says that execution has come to `point`; does not return when that point is armed.
    pub fn reached(&self, point: &'static str) {
        if self.armed == Some(point) {
            error!("Crash point {point} is armed: the process ends here");
            // SIGKILL, as a crash of the machine would look: nothing is flushed, nothing unwinds.
            let me = std::process::id().to_string();
            let _ = std::process::Command::new("kill")
                .args(["-KILL", &me])
                .status();
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_exist_can_be_armed() {
        assert!(CrashPoints::armed_at(Some("K6")).is_ok());
        assert!(CrashPoints::armed_at(Some("K99")).is_err());
        CrashPoints::default().reached("K6");
    }
}
