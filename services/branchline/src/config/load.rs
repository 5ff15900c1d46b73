//! Reads the configuration: a TOML file, then the environment over it, then files it points to.
//!
//! `BRANCHLINE__DATABASE__CORE_URL` sets `database.core_url`; any text may be given as
//! `{ file = "/run/secrets/core_url" }`, which reads the file without its last line break.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use super::{Config, ConfigError};

const PREFIX: &str = "BRANCHLINE__";

/// Reads and checks the configuration of this process.
///
/// # Errors
/// [`ConfigError`] that says which setting does not fit.
pub fn load(
    path: &Path,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unread {
        path: path.to_owned(),
        source,
    })?;
    let config = read(&text, environment)?;
    config.check()?;
    Ok(config)
}

fn read(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table: Table = text.parse()?;
    for (name, value) in environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            set(&mut table, &path.to_lowercase(), value);
        }
    }
    let resolved = resolve(Value::Table(table))?;
    Ok(resolved.try_into()?)
}

fn set(table: &mut Table, path: &str, value: String) {
    match path.split_once("__") {
        None => {
            table.insert(path.to_owned(), Value::String(value));
        }
        Some((section, rest)) => {
            let inner = table
                .entry(section)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// A number, or the text of one: the environment has no numbers.
pub(super) fn number<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given<T> {
        Number(T),
        Text(String),
    }
    match Given::deserialize(from) {
        Ok(Given::Number(number)) => Ok(number),
        Ok(Given::Text(text)) => text
            .parse()
            .map_err(|_no_number| D::Error::custom("expected a positive whole number")),
        Err(_neither) => Err(D::Error::custom("expected a positive whole number")),
    }
}

fn resolve(value: Value) -> Result<Value, ConfigError> {
    let Value::Table(table) = value else {
        return Ok(value);
    };
    if let (1, Some(Value::String(path))) = (table.len(), table.get("file")) {
        let path = PathBuf::from(path);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::NoFile { path, source })?;
        return Ok(Value::String(
            text.trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    let resolved = table
        .into_iter()
        .map(|(name, value)| Ok((name, resolve(value)?)));
    Ok(Value::Table(resolved.collect::<Result<_, ConfigError>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
profile = "dev"
[gateway]
listen = "127.0.0.1:8080"
public_url = "http://127.0.0.1:8080"
[core]
listen = "127.0.0.1:8081"
url = "http://127.0.0.1:8081"
[database]
[keys]
master_key_file = "master.key"
internal_private_key_file = "internal.pem"
internal_public_key_file = "internal.pub.pem"
[identity]
kind = "dev"
directory = "identity"
"#;

    fn with(changed: &str, by: &str) -> Result<Config, ConfigError> {
        let config = read(&TEXT.replace(changed, by), std::iter::empty())?;
        config.check()?;
        Ok(config)
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let variable = (
            "BRANCHLINE__DATABASE__CORE_URL".to_owned(),
            "postgres://x".to_owned(),
        );
        let config = read(TEXT, [variable].into_iter()).unwrap();
        assert_eq!(config.database.core_url.unwrap().expose(), "postgres://x");
    }

    #[test]
    fn the_environment_sets_numbers_too() {
        let set = |value: &str| {
            let name = "BRANCHLINE__GATEWAY__CALLS_PER_SECOND".to_owned();
            read(TEXT, [(name, value.to_owned())].into_iter())
        };
        assert_eq!(set("7").unwrap().gateway.calls_per_second.get(), 7);
        for wrong in ["0", "-1", "1.5", "many", ""] {
            assert!(set(wrong).is_err(), "{wrong}");
        }
        let in_the_file = "[gateway]\ncalls_per_second = 7";
        assert_eq!(
            with("[gateway]", in_the_file)
                .unwrap()
                .gateway
                .calls_per_second
                .get(),
            7
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let refused = with("[database]", "[database]\ncore_ulr = \"x\"")
            .err()
            .unwrap();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("core_ulr"), "{cause}");
    }

    #[test]
    fn production_refuses_what_only_a_laptop_may_have() {
        let production = "profile = \"production\"";
        assert!(matches!(
            with("profile = \"dev\"", production),
            Err(ConfigError::Forbidden(_))
        ));
        let beyond = with("listen = \"127.0.0.1:8080\"", "listen = \"0.0.0.0:8080\"");
        assert!(matches!(beyond, Err(ConfigError::Forbidden(_))));
    }

    #[test]
    fn a_secret_file_that_is_missing_is_named() {
        let refused = with(
            "[database]",
            "[database]\ncore_url = { file = \"/nowhere/x\" }",
        );
        assert!(matches!(refused, Err(ConfigError::NoFile { .. })));
    }
}
