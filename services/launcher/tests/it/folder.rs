//! A folder that is gone after the test, and the rule for missing servers.

use std::path::{Path, PathBuf};

use branchline_launcher::LauncherError;

/// A folder below the system's temporary one, which every account can reach.
pub(crate) struct TestFolder(PathBuf);

impl TestFolder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("branchline-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// `None`, with a line that says so, when the server is not installed here.
pub(crate) fn or_skip<T>(started: Result<T, LauncherError>) -> Option<T> {
    match started {
        Err(LauncherError::MissingProgram { program, .. })
            if std::env::var_os("BRANCHLINE_REQUIRE_ALL").is_none_or(|value| value != "1") =>
        {
            println!("skipped: this test needs {program}");
            None
        }
        started => Some(started.expect("the server starts")),
    }
}
