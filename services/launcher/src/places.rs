//! Where this person's caches, state and programs are.

use std::env;
use std::path::{Path, PathBuf};

/// The folders of the person who runs the program, read from the environment once.
#[derive(Debug, Clone)]
pub struct Places {
    /// Downloads that can be fetched again, for example `~/.cache/branchline`.
    pub cache: PathBuf,
    /// Data to keep between runs, for example `~/.local/state/branchline`.
    pub state: PathBuf,
    /// Folders with programs, in the order of `PATH`.
    pub programs: Vec<PathBuf>,
    /// The Java installation that `JAVA_HOME` names.
    pub java_home: Option<PathBuf>,
    /// The unpacked Keycloak that `KC_HOME` names.
    pub keycloak_home: Option<PathBuf>,
}

impl Places {
    /// Reads the XDG folders, `PATH`, `JAVA_HOME` and `KC_HOME`. Only a composition root calls this.
    #[must_use]
    pub fn from_environment() -> Self {
        let home = env::home_dir()
            .filter(|home| home.is_absolute())
            .unwrap_or_else(env::temp_dir);
        let folder = |name: &str, fallback: &str| {
            named(name)
                .unwrap_or_else(|| home.join(fallback))
                .join("branchline")
        };
        Self {
            cache: folder("XDG_CACHE_HOME", ".cache"),
            state: folder("XDG_STATE_HOME", ".local/state"),
            programs: env::var_os("PATH")
                .map(|path| env::split_paths(&path).collect())
                .unwrap_or_default(),
            java_home: named("JAVA_HOME"),
            keycloak_home: named("KC_HOME"),
        }
    }

    /// The first program of this name in `PATH`.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.programs
            .iter()
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    }
}

/// An absolute path from the environment; the XDG rules tell programs to ignore relative ones.
fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| Path::is_absolute(path))
}
