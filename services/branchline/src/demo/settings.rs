//! The configuration that the demo writes for the platform's processes.

use branchline_db::installation;
use toml::{Table, Value};

use super::stage::{DATABASE, Kept, Stage};

/// The text of `branchline.toml`.
pub(super) fn text(stage: &Stage, kept: &Kept) -> anyhow::Result<String> {
    let mut config = Table::new();
    config.insert("profile".to_owned(), string("dev"));
    let gateway = [
        ("listen", listen(kept.gateway_port)),
        ("public_url", string(&stage.gateway_url)),
    ];
    let core = [
        ("listen", listen(kept.core_port)),
        ("url", string(&stage.core_url)),
    ];
    for (name, section) in [
        ("gateway", table(gateway)),
        ("core", table(core)),
        ("database", database(stage, kept)?),
        ("keys", keys(stage)),
        ("identity", identity(stage)),
    ] {
        config.insert(name.to_owned(), section);
    }
    if let Some(redis) = &stage.redis {
        config.insert("redis".to_owned(), table([("url", string(&redis.url()))]));
    }
    Ok(toml::to_string(&config)?)
}

fn database(stage: &Stage, kept: &Kept) -> anyhow::Result<Value> {
    let login = |name: &str| {
        let url = installation::login_url(
            &stage.database_url,
            &format!("{DATABASE}_{name}"),
            &kept.password,
        )?;
        anyhow::Ok(string(url.expose()))
    };
    Ok(table([
        ("migrator_url", string(stage.database_url.expose())),
        ("core_url", login("core")?),
        ("core_jobs_url", login("core_jobs")?),
        ("gateway_url", login("gateway")?),
        ("gateway_jobs_url", login("gateway_jobs")?),
    ]))
}

fn keys(stage: &Stage) -> Value {
    table([
        ("master_key_file", path(stage, "master.key")),
        ("internal_private_key_file", path(stage, "internal.pem")),
        ("internal_public_key_file", path(stage, "internal.pub.pem")),
    ])
}

fn identity(stage: &Stage) -> Value {
    match &stage.keycloak {
        None => table([
            ("kind", string("dev")),
            ("directory", path(stage, "identity")),
        ]),
        Some(keycloak) => table([
            ("kind", string("keycloak")),
            ("url", string(&keycloak.url())),
            ("admin_user", string(keycloak.admin_user())),
            ("admin_password", string(keycloak.admin_password())),
        ]),
    }
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn listen(port: u16) -> Value {
    string(&format!("127.0.0.1:{port}"))
}

fn path(stage: &Stage, name: &str) -> Value {
    string(&stage.directory.join(name).display().to_string())
}
