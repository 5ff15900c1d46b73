//! The key that wraps every tenant's keys at rest.
//!
//! # Invariants
//! - A wrapped key opens for its own tenant and purpose only: both are authenticated with it.
//! - The file is readable by its owner alone, or it is not read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use branchline_kernel::{Kind, Refusal, Secret, TenantId};

use crate::random::{NoRandomness, random_bytes};

/// What a wrapped key is for; it opens for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signs what the tenant issues.
    Issuer,
    /// Makes one-time codes.
    OneTimeCode,
    /// Makes the subjects that TPPs see.
    PairwiseSubject,
    /// Signs the gateway in at the tenant's identity provider.
    LoginClient,
    /// Authenticates cookies and forms of the tenant's pages.
    Pages,
}

impl KeyPurpose {
    /// The purpose's name in rows and in what is authenticated.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::OneTimeCode => "one-time-code",
            Self::PairwiseSubject => "pairwise-subject",
            Self::LoginClient => "login-client",
            Self::Pages => "pages",
        }
    }
}

/// Why the master key could not be had or used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file could not be read or written.
    #[error(
        "could not read or write the master key file {path}: it must exist and belong to the \
         account that runs branchline"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read the file.
    #[error(
        "the master key file {path} can be read by others: run chmod 600 {path} and, if others \
         use this machine, make a new key"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// The file does not hold a key.
    #[error(
        "the master key file {path} does not hold 32 bytes in base64: restore it from its backup"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// No random bytes for a key or a nonce.
    #[error("could not make a key")]
    NoRandomness(#[from] NoRandomness),
    /// The library refused to encrypt.
    #[error("could not wrap a key")]
    Wrap,
    /// Another key, tenant or purpose wrapped it, or it was changed.
    #[error("a wrapped key of purpose {purpose} does not open with this master key")]
    Unwrap {
        /// What it should be for.
        purpose: &'static str,
    },
}

impl Refusal for MasterKeyError {
    fn kind(&self) -> Kind {
        Kind::Broken
    }

    fn code(&self) -> &'static str {
        "master-key"
    }

    fn public(&self) -> String {
        "A key of this institution cannot be used. Its operators must look at the logs.".to_owned()
    }
}

const KEY_BYTES: usize = 32;
/// Says how a wrapped key is laid out, so that a later layout can be told apart.
const LAYOUT: u8 = 1;

/// The key that wraps every tenant's keys.
pub struct MasterKey(Secret<[u8; KEY_BYTES]>);

impl MasterKey {
    /// Makes a new key, in memory only.
    ///
    /// # Errors
    /// [`MasterKeyError::NoRandomness`].
    pub fn generate() -> Result<Self, MasterKeyError> {
        let bytes = random_bytes(KEY_BYTES)?;
        let key = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_length| NoRandomness)?;
        Ok(Self(Secret::new(key)))
    }

    /// Makes a new key and writes it to a file that its owner alone can read; an existing file
    /// is never overwritten.
    ///
    /// # Errors
    /// [`MasterKeyError::File`], [`MasterKeyError::NoRandomness`].
    pub fn create(path: &Path) -> Result<Self, MasterKeyError> {
        let key = Self::generate()?;
        let mut text = STANDARD.encode(key.0.expose());
        text.push('\n');
        write_private(path, text.as_bytes()).map_err(|source| MasterKeyError::File {
            path: path.to_owned(),
            source,
        })?;
        Ok(key)
    }

    /// Reads the key from its file.
    ///
    /// # Errors
    /// [`MasterKeyError`] naming the file and what to do about it.
    pub fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let in_file = |source| MasterKeyError::File {
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(in_file)?.mode();
        if mode & 0o077 != 0 {
            return Err(MasterKeyError::OpenToOthers {
                path: path.to_owned(),
            });
        }
        let text = fs::read_to_string(path).map_err(in_file)?;
        let bytes = STANDARD.decode(text.trim()).ok();
        let key = bytes
            .and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok())
            .ok_or_else(|| MasterKeyError::NotAKey {
                path: path.to_owned(),
            })?;
        Ok(Self(Secret::new(key)))
    }

    /// Encrypts a tenant's key for storage.
    ///
    /// # Errors
    /// [`MasterKeyError::Wrap`].
    pub fn wrap(
        &self,
        tenant: &TenantId,
        purpose: KeyPurpose,
        plain: &[u8],
    ) -> Result<Vec<u8>, MasterKeyError> {
        let mut sealed = plain.to_vec();
        let nonce = self
            .cipher()
            .and_then(|cipher| {
                cipher
                    .seal_in_place_append_tag(Aad::from(bound_to(tenant, purpose)), &mut sealed)
                    .ok()
            })
            .ok_or(MasterKeyError::Wrap)?;
        Ok([&[LAYOUT], nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Decrypts a tenant's key.
    ///
    /// # Errors
    /// [`MasterKeyError::Unwrap`] when it was wrapped for another tenant or purpose, with another
    /// master key, or was changed.
    pub fn unwrap(
        &self,
        tenant: &TenantId,
        purpose: KeyPurpose,
        wrapped: &[u8],
    ) -> Result<Secret<Vec<u8>>, MasterKeyError> {
        self.open(tenant, purpose, wrapped)
            .map(Secret::new)
            .ok_or(MasterKeyError::Unwrap {
                purpose: purpose.as_str(),
            })
    }

    fn open(&self, tenant: &TenantId, purpose: KeyPurpose, wrapped: &[u8]) -> Option<Vec<u8>> {
        let (layout, rest) = wrapped.split_first()?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        if *layout != LAYOUT {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = sealed.to_vec();
        let plain = self
            .cipher()?
            .open_in_place(nonce, Aad::from(bound_to(tenant, purpose)), &mut buffer)
            .ok()?;
        Some(plain.to_vec())
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, self.0.expose()).ok()
    }
}

/// What is authenticated with a key; a tenant's id has no NUL, so no two pairs read the same.
fn bound_to(tenant: &TenantId, purpose: KeyPurpose) -> Vec<u8> {
    format!("{tenant}\0{}", purpose.as_str()).into_bytes()
}

/// Writes a new file that only its owner can read, and waits until it is on disk.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tenant(id: &str) -> TenantId {
        id.parse().unwrap()
    }

    fn path_for(test: &str) -> PathBuf {
        let name = format!("branchline-iam-{test}-{}", random_token_for_test());
        std::env::temp_dir().join(name)
    }

    fn random_token_for_test() -> String {
        crate::random::random_token(8).unwrap()
    }

    #[test]
    fn a_wrapped_key_opens_for_its_own_tenant_and_purpose_only() {
        let master = MasterKey::generate().unwrap();
        let lion = tenant("t_lion");
        let wrapped = master.wrap(&lion, KeyPurpose::Issuer, b"key").unwrap();
        let opened = master.unwrap(&lion, KeyPurpose::Issuer, &wrapped).unwrap();
        assert_eq!(opened.expose(), b"key");
        assert!(
            master
                .unwrap(&tenant("t_elephant"), KeyPurpose::Issuer, &wrapped)
                .is_err()
        );
        assert!(
            master
                .unwrap(&lion, KeyPurpose::OneTimeCode, &wrapped)
                .is_err()
        );
        let other = MasterKey::generate().unwrap();
        assert!(other.unwrap(&lion, KeyPurpose::Issuer, &wrapped).is_err());
    }

    #[test]
    fn a_changed_or_shortened_wrapped_key_does_not_open() {
        let master = MasterKey::generate().unwrap();
        let lion = tenant("t_lion");
        let wrapped = master.wrap(&lion, KeyPurpose::Issuer, b"key").unwrap();
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(
                master.unwrap(&lion, KeyPurpose::Issuer, &changed).is_err(),
                "byte {at}"
            );
            assert!(
                master
                    .unwrap(&lion, KeyPurpose::Issuer, &wrapped[..at])
                    .is_err(),
                "first {at} bytes"
            );
        }
    }

    #[test]
    fn the_same_key_is_wrapped_differently_each_time() {
        let master = MasterKey::generate().unwrap();
        let lion = tenant("t_lion");
        let wrap = || master.wrap(&lion, KeyPurpose::Issuer, b"key").unwrap();
        assert_ne!(wrap(), wrap());
    }

    #[test]
    fn a_created_key_is_read_back_and_never_overwritten() {
        let path = path_for("created");
        let made = MasterKey::create(&path).unwrap();
        let read = MasterKey::load(&path).unwrap();
        assert!(made.0 == read.0);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(
            MasterKey::create(&path),
            Err(MasterKeyError::File { .. })
        ));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_key_file_open_to_others_is_refused_with_what_to_do() {
        let path = path_for("open");
        MasterKey::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = MasterKey::load(&path).err().unwrap().to_string();
        assert!(refusal.contains("chmod 600"), "{refusal}");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_without_a_key_is_refused() {
        let path = path_for("short");
        write_private(&path, b"c2hvcnQ=\n").unwrap();
        assert!(matches!(
            MasterKey::load(&path),
            Err(MasterKeyError::NotAKey { .. })
        ));
        fs::remove_file(path).unwrap();
    }
}
