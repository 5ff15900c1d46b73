//! A private Keycloak in development mode, with its own embedded database, on a loopback port.
//!
//! Each instance runs in a copy of the unpacked folder, because two servers in one folder fight over its files.

mod archive;
mod java;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::LauncherError;
use crate::files::Folder;
use crate::loopback::{answers_ok, free_port, must_be_free};
use crate::places::Places;
use crate::process::{Launch, Request, Running};
use crate::progress::Progress;

const SERVER: &str = "Keycloak";
const ADMIN: &str = "admin";
/// 12 to 35 s are usual; the very first start on a busy machine took 110 s.
const READY_WITHIN: Duration = Duration::from_secs(300);
const POLITELY: &[Request] = &[("TERM", Duration::from_secs(30))];

/// How to start a private Keycloak.
#[derive(Debug, Clone)]
pub struct KeycloakOptions {
    /// The folder of this instance: its copy of the server, its data, its log. An absent folder is made.
    pub directory: PathBuf,
    /// The port on 127.0.0.1; without one a free port is taken.
    pub port: Option<u16>,
}

/// A private Keycloak that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Keycloak {
    folder: Folder,
    admin_password: AdminPassword,
    port: u16,
    running: Running,
}

/// Keeps the password out of debug output.
struct AdminPassword(String);

impl std::fmt::Debug for AdminPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AdminPassword")
    }
}

impl Keycloak {
    /// Fetches the server when neither `KC_HOME` nor the cache has it, copies it into the instance's folder on its
    /// first start, starts it, and waits until the realm `master` answers.
    ///
    /// # Errors
    /// When Java 17 or newer or Maven is missing, the download fails or has another checksum, the port or the folder
    /// is taken, or the server does not start.
    pub async fn start(
        options: KeycloakOptions,
        places: &Places,
        progress: &Progress,
    ) -> Result<Self, LauncherError> {
        let java = java::find(places).await?;
        let folder = Folder::take(&options.directory)?;
        let admin_password = AdminPassword(folder.secret("admin-password")?);
        let home = archive::install(&folder, places, progress).await?;
        let port = options.port.map_or_else(free_port, Ok)?;
        progress.tell("starting Keycloak; its first start on a machine takes a minute");
        let running = launch(&folder, &home, &java, port, &admin_password.0).await?;
        archive::keep_warm(&home, places).await?;
        progress.tell(&format!("Keycloak listens on 127.0.0.1:{port}"));
        Ok(Self {
            folder,
            admin_password,
            port,
            running,
        })
    }

    /// The address without a trailing slash, for example `http://127.0.0.1:8180`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the administrator of the realm `master`.
    #[must_use]
    pub fn admin_user(&self) -> &'static str {
        ADMIN
    }

    /// The administrator's password, made on the first start and kept with the data.
    #[must_use]
    pub fn admin_password(&self) -> &str {
        &self.admin_password.0
    }

    /// The folder of this instance.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server in an orderly way. A second stop does nothing.
    ///
    /// # Errors
    /// When the system does not tell whether it ended.
    pub async fn stop(&mut self) -> Result<(), LauncherError> {
        self.running.stop(POLITELY).await
    }
}

async fn launch(
    folder: &Folder,
    home: &Path,
    java: &Path,
    port: u16,
    admin_password: &str,
) -> Result<Running, LauncherError> {
    must_be_free(SERVER, port)?;
    let arguments = ["start-dev", "--http-host", "127.0.0.1", "--http-port"].map(Into::into);
    let mut running = Running::start(&Launch {
        server: SERVER,
        program: &home.join("bin/kc.sh"),
        arguments: arguments
            .into_iter()
            .chain([port.to_string().into()])
            .collect(),
        environment: vec![
            ("JAVA", java.to_string_lossy().into_owned()),
            ("KC_BOOTSTRAP_ADMIN_USERNAME", ADMIN.to_owned()),
            ("KC_BOOTSTRAP_ADMIN_PASSWORD", admin_password.to_owned()),
            // A DEBUG=true that somebody exported would open a debugger's port to the network (CVE-2025-11538).
            ("KC_DEBUG", "false".to_owned()),
        ],
        directory: folder.path(),
        log: &folder.path().join("keycloak.log"),
        account: None,
        port,
        polite_signal: "TERM",
        // On a first start the script waits for Java, later it becomes Java.
        signal_group: true,
    })?;
    running
        .until_ready(READY_WITHIN, async || {
            answers_ok(port, "/realms/master").await
        })
        .await?;
    Ok(running)
}
