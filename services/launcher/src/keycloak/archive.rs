//! Where the server comes from: `KC_HOME`, the cache, or Maven Central; and its copy for one instance.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::{LauncherError, io_failed};
use crate::files::{self, Folder};
use crate::places::Places;
use crate::process::run;
use crate::progress::Progress;

const NAME: &str = "keycloak-26.7.4";
const ARTIFACT: &str = "org.keycloak:keycloak-quarkus-dist:26.7.4:tar.gz";
const ARCHIVE: &str = "keycloak-quarkus-dist-26.7.4.tar.gz";
const SHA256: &str = "04823c336b797a7e18889a44262a7a64e6bf624cbbcc518c85e2622176ff2eee";
const INSTEAD: &str =
    "unpack Keycloak 26.7.4 or newer yourself and point KC_HOME to it, or use --identity dev";
/// What the server's first start makes of its jars; later starts, also of other copies, need not make it again.
const AUGMENTED: &str = "lib/quarkus";
/// Tells that the cached folder holds the above.
const WARM: &str = "warm";

/// The instance's own copy of the server; made on its first start.
pub(super) async fn install(
    folder: &Folder,
    places: &Places,
    progress: &Progress,
) -> Result<PathBuf, LauncherError> {
    let given = places.keycloak_home.as_deref();
    let name = given.and_then(Path::file_name).unwrap_or(OsStr::new(NAME));
    let home = folder.path().join(name);
    if home.is_dir() {
        return Ok(home);
    }
    files::make(&places.cache)?;
    let _turn = files::wait_for_turn(&places.cache).await?;
    let source = match given {
        Some(given) => given.to_path_buf(),
        None => fetch(&places.cache, places, progress).await?,
    };
    if !source.join("bin/kc.sh").is_file() {
        return Err(LauncherError::MissingProgram {
            program: "bin/kc.sh in the folder that KC_HOME names",
            needed_for: "Keycloak",
            install: "point KC_HOME to an unpacked Keycloak, or unset it and 26.7.4 is fetched",
        });
    }
    let unfinished = folder.path().join("unfinished");
    files::remove(&unfinished)?;
    files::make(&unfinished)?;
    for part in ["bin", "conf", "lib", "providers", "themes"] {
        copy(&source.join(part), &unfinished, folder.path()).await?;
    }
    fs::rename(&unfinished, &home).map_err(io_failed("rename", &unfinished))?;
    Ok(home)
}

/// Takes what the first start made into the cache, so that the next instance starts in a third of the time.
pub(super) async fn keep_warm(home: &Path, places: &Places) -> Result<(), LauncherError> {
    let cached = places.cache.join(NAME);
    if places.keycloak_home.is_some() || !cached.is_dir() {
        return Ok(());
    }
    let _turn = files::wait_for_turn(&places.cache).await?;
    if cached.join(WARM).exists() {
        return Ok(());
    }
    let (fresh, old) = (places.cache.join("quarkus"), cached.join(AUGMENTED));
    files::remove(&fresh)?;
    copy(&home.join(AUGMENTED), &places.cache, &places.cache).await?;
    files::remove(&old)?;
    fs::rename(&fresh, &old).map_err(io_failed("rename", &fresh))?;
    files::write_private(&cached.join(WARM), "")
}

/// The unpacked server in the cache.
async fn fetch(
    cache: &Path,
    places: &Places,
    progress: &Progress,
) -> Result<PathBuf, LauncherError> {
    let home = cache.join(NAME);
    if home.is_dir() {
        return Ok(home);
    }
    let unfinished = cache.join("unfinished");
    files::remove(&unfinished)?;
    files::make(&unfinished)?;
    progress.tell("fetching Keycloak 26.7.4 (176 MB), once");
    let archive = download(&unfinished, cache, places).await?;
    check(&archive, cache, places).await?;
    progress.tell("unpacking Keycloak");
    let mut tar = Command::new("tar");
    tar.args(["--strip-components=1", "-xzf"])
        .arg(&archive)
        .arg("-C")
        .arg(&unfinished);
    run("tar", &mut tar, &cache.join("tar.log")).await?;
    fs::remove_file(&archive).map_err(io_failed("remove", &archive))?;
    fs::rename(&unfinished, &home).map_err(io_failed("rename", &unfinished))?;
    Ok(home)
}

async fn download(into: &Path, cache: &Path, places: &Places) -> Result<PathBuf, LauncherError> {
    let maven = places.find_program("mvn").ok_or(LauncherError::MissingProgram {
        program: "mvn",
        needed_for: "fetching Keycloak",
        install: "install Maven (Debian: maven), or unpack Keycloak 26.7.4 or newer yourself and point KC_HOME to it, \
                  or use --identity dev",
    })?;
    let mut command = Command::new(maven);
    command.current_dir(into);
    command.args([
        "-q",
        "-B",
        "dependency:copy",
        &format!("-Dartifact={ARTIFACT}"),
    ]);
    command.arg(format!("-DoutputDirectory={}", into.display()));
    match run("mvn", &mut command, &cache.join("mvn.log")).await {
        Ok(_) => Ok(into.join(ARCHIVE)),
        Err(LauncherError::Failed { log, .. }) => Err(maven_failed(log)),
        Err(error) => Err(error),
    }
}

/// Maven puts the cause first and closes with advice about itself.
fn maven_failed(log: PathBuf) -> LauncherError {
    let text = fs::read_to_string(&log).unwrap_or_default();
    let cause = text.lines().find_map(|line| line.split_once("[ERROR] "));
    let said = cause.map_or_else(|| "no reason given".to_owned(), |(_, said)| said.to_owned());
    let network = [
        "Unknown host",
        "Could not transfer",
        "Connect",
        "timed out",
        "No plugin found",
    ];
    let is_network = network.iter().any(|sign| said.contains(sign));
    let failed = LauncherError::Failed {
        program: "mvn",
        said,
        log,
    };
    if is_network {
        LauncherError::NoNetwork {
            what: "Keycloak 26.7.4",
            instead: INSTEAD,
            source: Box::new(failed),
        }
    } else {
        failed
    }
}

/// Nothing is unpacked that is not byte for byte what was reviewed.
async fn check(archive: &Path, cache: &Path, places: &Places) -> Result<(), LauncherError> {
    let mut command = match places.find_program("sha256sum") {
        Some(program) => Command::new(program),
        None => {
            let mut command = Command::new("shasum");
            command.args(["-a", "256"]);
            command
        }
    };
    let said = run(
        "sha256sum",
        command.arg(archive),
        &cache.join("sha256sum.log"),
    )
    .await?;
    let found = said
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .trim_start_matches('\\');
    if found == SHA256 {
        return Ok(());
    }
    Err(LauncherError::WrongChecksum {
        path: archive.to_path_buf(),
        expected: SHA256,
        found: found.to_owned(),
    })
}

async fn copy(from: &Path, into: &Path, logs: &Path) -> Result<(), LauncherError> {
    let mut command = Command::new("cp");
    command.arg("-Rp").arg(from).arg(into);
    run("cp", &mut command, &logs.join("cp.log"))
        .await
        .map(|_| ())
}
