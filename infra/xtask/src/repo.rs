//! The repository: where it is, and the text files that belong to it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file of the repository.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path from the root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The checked-out repository.
#[derive(Debug, Clone)]
pub struct Repo {
    root: PathBuf,
}

impl Repo {
    /// Finds the root: the folder above this crate, or the nearest one that holds `infra/xtask`.
    pub fn find() -> Result<Self, String> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => {
                std::env::current_dir().map_err(|error| format!("no current folder: {error}"))?
            }
        };
        start
            .ancestors()
            .find(|dir| dir.join("infra/xtask/Cargo.toml").is_file())
            .map(|dir| Self {
                root: dir.to_path_buf(),
            })
            .ok_or_else(|| "not inside the repository: run this from its folder".to_owned())
    }

    /// A repository that a test made.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Every text file that git tracks, or would track if it were added now.
    pub fn text_files(&self) -> Result<Vec<SourceFile>, String> {
        let listing = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(&self.root)
            .output()
            .map_err(|error| format!("cannot run git, which lists the files: {error}"))?;
        if !listing.status.success() {
            let said = String::from_utf8_lossy(&listing.stderr);
            return Err(format!("git cannot list the files: {}", said.trim()));
        }
        let names = String::from_utf8_lossy(&listing.stdout).into_owned();
        let mut files: Vec<SourceFile> = names
            .split('\0')
            .filter(|name| !name.is_empty())
            .filter_map(|name| self.read_text(name))
            .collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files.dedup_by(|one, other| one.path == other.path);
        Ok(files)
    }

    /// The file's text; nothing when it is gone, a link to a folder, or not text.
    fn read_text(&self, name: &str) -> Option<SourceFile> {
        let bytes = std::fs::read(self.root.join(name)).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        (!text.contains('\0')).then(|| SourceFile {
            path: name.to_owned(),
            text,
        })
    }
}

#[cfg(test)]
pub fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}
