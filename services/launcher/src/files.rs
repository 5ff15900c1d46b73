//! The folder of one server: its lock, its password file.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{LauncherError, io_failed};

const LOCK: &str = "lock";
/// 24 random bytes are beyond guessing and print as 48 letters that no URL needs to escape.
const SECRET_BYTES: usize = 24;

/// A folder that this process alone uses until the value is dropped. The system frees the lock of a killed process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder when it is absent and takes it for this process.
    pub(crate) fn take(path: &Path) -> Result<Self, LauncherError> {
        make(path)?;
        let lock_file = path.join(LOCK);
        if !lock_file.exists() && !is_empty(path)? {
            return Err(LauncherError::NotOurs {
                path: path.to_path_buf(),
            });
        }
        let lock = lock(&lock_file, path)?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret in the file `name`, made on the first call.
    pub(crate) fn secret(&self, name: &str) -> Result<String, LauncherError> {
        let path = self.path.join(name);
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(io_failed("read", &path))?;
            return Ok(text.trim().to_owned());
        }
        let secret = random_secret()?;
        write_private(&path, &secret)?;
        Ok(secret)
    }
}

/// Waits for nobody: the folder is either free or in use.
fn lock(lock_file: &Path, folder: &Path) -> Result<File, LauncherError> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(lock_file)
        .map_err(io_failed("open", lock_file))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(lock_file).unwrap_or_default();
            return Err(LauncherError::InUse {
                path: folder.to_path_buf(),
                owner: owner.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io_failed("lock", lock_file)(source)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(io_failed("write", lock_file))?;
    Ok(file)
}

/// Makes a folder that only its owner may enter; folders above it are made with the usual rights.
pub(crate) fn make(path: &Path) -> Result<(), LauncherError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io_failed("make", parent))?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(io_failed("make", path))
}

/// Makes a folder that everybody may enter and read.
pub(crate) fn make_public(path: &Path) -> Result<(), LauncherError> {
    fs::create_dir_all(path).map_err(io_failed("make", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o755)).map_err(io_failed("open up", path))
}

/// Removes a folder and all it holds; an absent one is fine.
pub(crate) fn remove(path: &Path) -> Result<(), LauncherError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(io_failed("remove", path)(source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), LauncherError> {
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(io_failed("write", path))
}

fn is_empty(path: &Path) -> Result<bool, LauncherError> {
    fs::read_dir(path)
        .map(|mut entries| entries.next().is_none())
        .map_err(io_failed("read", path))
}

fn random_secret() -> Result<String, LauncherError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0_u8; SECRET_BYTES];
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(io_failed("read", source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Waits until no other process fills this cache. The turn ends when the value is dropped.
pub(crate) async fn wait_for_turn(cache: &Path) -> Result<File, LauncherError> {
    let path = cache.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io_failed("open", &path))?;
    let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    waiting
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(io_failed("lock", &path))
}
