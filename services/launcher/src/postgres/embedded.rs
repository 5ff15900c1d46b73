//! PostgreSQL for machines that have none, fetched once into a cache. For development only: its OpenSSL and ICU are
//! out of support, and nothing updates it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};

use crate::error::{LauncherError, io_failed};
use crate::files;
use crate::places::Places;
use crate::progress::Progress;

const VERSION: &str = "18.4.0";
pub(super) const MAJOR: &str = "18";
const RELEASES: &str = "https://github.com/zonkyio/embedded-postgres-binaries";
/// Root's own cache is closed to the account that runs the server.
const CACHE_OF_ROOT: &str = "/var/cache/branchline";
const INSTEAD: &str = "install PostgreSQL 15 or newer (Debian: postgresql, Homebrew: postgresql@17), or use DATABASE_URL";

/// The folder of the programs; fetches them when the cache does not hold them.
pub(super) async fn fetch(
    is_root: bool,
    places: &Places,
    progress: &Progress,
) -> Result<PathBuf, LauncherError> {
    let cache = if is_root {
        PathBuf::from(CACHE_OF_ROOT)
    } else {
        places.cache.clone()
    };
    let cache = cache.join("postgresql");
    let installed = cache.join(VERSION);
    if installed.join("bin/postgres").is_file() {
        return Ok(installed.join("bin"));
    }
    files::make_public(&cache)?;
    let _turn = files::wait_for_turn(&cache).await?;
    if !installed.join("bin/postgres").is_file() {
        progress.tell("fetching PostgreSQL 18.4 (15 MB), once");
        unpack(&cache).await?;
        // The crate unpacks into a folder that only we may enter.
        files::make_public(&installed)?;
    }
    Ok(installed.join("bin"))
}

/// Uses the crate to fetch and unpack only. What follows is the same for all programs, whoever made them.
async fn unpack(cache: &Path) -> Result<(), LauncherError> {
    let version = VersionReq::parse(&format!("={VERSION}"))
        .map_err(postgresql_embedded::Error::from)
        .map_err(not_fetched)?;
    // The crate would go on to initialize a database here; the settings file makes it believe that it has done so.
    let decoy = cache.join("fetch-only");
    files::make(&decoy)?;
    let marker = decoy.join("postgresql.conf");
    fs::write(&marker, "").map_err(io_failed("write", &marker))?;
    let settings = Settings {
        releases_url: RELEASES.to_owned(),
        version,
        installation_dir: cache.to_path_buf(),
        password_file: decoy.join("password"),
        data_dir: decoy.clone(),
        host: "127.0.0.1".to_owned(),
        port: 0,
        username: String::new(),
        password: String::new(),
        temporary: false,
        timeout: Some(Duration::from_secs(30)),
        configuration: HashMap::new(),
        trust_installation_dir: false,
        socket_dir: None,
    };
    let mut fetcher = PostgreSQL::new(settings);
    // The state of a download is large, so it does not live in the futures of all our callers.
    let fetched = Box::pin(fetcher.setup()).await;
    drop(fetcher);
    files::remove(&decoy)?;
    fetched.map_err(not_fetched)
}

fn not_fetched(source: postgresql_embedded::Error) -> LauncherError {
    LauncherError::NoNetwork {
        what: "PostgreSQL 18.4",
        instead: INSTEAD,
        source: Box::new(source),
    }
}
