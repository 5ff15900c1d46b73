//! The realms of the development identity: one JSON file each, read anew for every request, as
//! another process may have provisioned one.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use branchline_kernel::TenantSlug;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Job;
use crate::identity::{IdentityError, Person, ProvisionedPerson, RealmSpec};
use crate::master_key::write_private;
use crate::random::random_token;

/// A realm as its file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RealmFile {
    pub(super) name: String,
    pub(super) client_secret: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) people: Vec<KnownPerson>,
}

/// A person of a realm; whoever has no password here needs none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownPerson {
    pub(super) subject: String,
    pub(super) username: String,
    pub(super) full_name: String,
    pub(super) jobs: Vec<Job>,
}

impl RealmFile {
    /// What the specification asks for, keeping the secret and the people that are there already.
    pub(super) fn of(
        spec: &RealmSpec,
        known: Option<Self>,
        issuer: &str,
    ) -> Result<Self, IdentityError> {
        let (client_secret, mut people) = match known {
            Some(known) => (known.client_secret, known.people),
            None => (random_token(32)?, Vec::new()),
        };
        for person in &spec.people {
            let wanted = KnownPerson::of(person, issuer);
            match people
                .iter_mut()
                .find(|one| one.username == person.username)
            {
                Some(one) => *one = wanted,
                None => people.push(wanted),
            }
        }
        Ok(Self {
            name: spec.name.clone(),
            client_secret,
            redirect_uris: spec.redirect_uris.clone(),
            people,
        })
    }

    pub(super) fn person(&self, username: &str) -> Option<&KnownPerson> {
        self.people
            .iter()
            .find(|person| person.username == username)
    }

    pub(super) fn subjects_of(&self, people: &[Person]) -> Vec<ProvisionedPerson> {
        people
            .iter()
            .filter_map(|person| self.person(&person.username))
            .map(|person| ProvisionedPerson {
                username: person.username.clone(),
                subject: person.subject.clone(),
            })
            .collect()
    }
}

impl KnownPerson {
    fn of(person: &Person, issuer: &str) -> Self {
        // The same person at the same issuer has the same subject, after a reset as well.
        let name = format!("{issuer}#{}", person.username);
        Self {
            subject: Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string(),
            username: person.username.clone(),
            full_name: person.full_name.clone(),
            jobs: person.jobs.clone(),
        }
    }
}

/// The directory of the development identity.
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn open(directory: PathBuf) -> Result<Self, IdentityError> {
        match fs::create_dir_all(&directory) {
            Ok(()) => Ok(Self(directory)),
            Err(source) => Err(IdentityError::File {
                path: directory,
                source,
            }),
        }
    }

    pub(super) async fn find(&self, slug: &TenantSlug) -> Result<Option<RealmFile>, IdentityError> {
        let path = self.path(slug);
        match tokio::fs::read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_not_a_realm| IdentityError::Damaged { path }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IdentityError::File { path, source }),
        }
    }

    /// Replaces a realm's file as a whole, so that a reader sees the old one or the new one.
    pub(super) async fn save(
        &self,
        slug: &TenantSlug,
        realm: &RealmFile,
    ) -> Result<(), IdentityError> {
        let path = self.path(slug);
        let content = serde_json::to_vec_pretty(realm)
            .map_err(|_not_json| IdentityError::Damaged { path: path.clone() })?;
        let unfinished = self.unfinished()?;
        let in_file = |source| IdentityError::File {
            path: path.clone(),
            source,
        };
        write_private(&unfinished, &content).map_err(in_file)?;
        tokio::fs::rename(&unfinished, &path).await.map_err(in_file)
    }

    pub(super) async fn remove(&self, slug: &TenantSlug) -> Result<(), IdentityError> {
        let path = self.path(slug);
        match tokio::fs::remove_file(&path).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(IdentityError::File { path, source }),
        }
    }

    /// The content of a file that is written once: whoever comes first decides it, also among
    /// processes that start together.
    pub(super) fn once(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, IdentityError>,
    ) -> Result<String, IdentityError> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => return Ok(text),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(IdentityError::File { path, source }),
        }
        let unfinished = self.unfinished()?;
        let content = make()?;
        publish_once(&unfinished, &path, &content)
            .map_err(|source| IdentityError::File { path, source })
    }

    fn path(&self, slug: &TenantSlug) -> PathBuf {
        self.0.join(format!("realm-{slug}.json"))
    }

    fn unfinished(&self) -> Result<PathBuf, IdentityError> {
        Ok(self.0.join(format!("unfinished-{}", random_token(8)?)))
    }
}

/// A hard link fails where a file exists already, which a rename would overwrite.
fn publish_once(unfinished: &Path, path: &Path, content: &str) -> io::Result<String> {
    write_private(unfinished, content.as_bytes())?;
    let linked = fs::hard_link(unfinished, path);
    fs::remove_file(unfinished)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    fs::read_to_string(path)
}
