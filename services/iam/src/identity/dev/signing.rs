//! The key that signs the development identity's tokens: RS256, as Keycloak's by default.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::store::Store;
use crate::identity::IdentityError;
use crate::pem::pem;

/// Signs tokens and shows how to verify them.
pub(super) struct SigningKey {
    key: EncodingKey,
    key_id: String,
    public: Jwk,
}

impl SigningKey {
    /// The key in the directory, made when there is none.
    pub(super) fn open(store: &Store) -> Result<Self, IdentityError> {
        let text = store.once("signing-key.pem", generate)?;
        let unusable = |_invalid| IdentityError::SigningKey;
        let key = EncodingKey::from_rsa_pem(text.as_bytes()).map_err(unusable)?;
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(unusable)?;
        let key_id = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(unusable)?;
        public.common.key_id = Some(key_id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            key,
            key_id,
            public,
        })
    }

    pub(super) const fn public(&self) -> &Jwk {
        &self.public
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, IdentityError> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, claims, &self.key)
            .map_err(|_signing| IdentityError::SigningKey)
    }
}

fn generate() -> Result<String, IdentityError> {
    let unusable = |_unspecified| IdentityError::SigningKey;
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(unusable)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(unusable)?;
    Ok(pem("PRIVATE KEY", der.as_ref()))
}
