//! The authorization code: bound to a client, an address and a verifier; good once, for a minute.

use branchline_kernel::Timestamp;

use crate::{ClientId, CodeChallenge, CodeExchange, OAuthError, RedirectUri};

/// How long a code may wait to be redeemed (FAPI 2.0 Security Profile §5.3.2.1-11: at most 60 s).
pub const AUTHORIZATION_CODE_LIFE_SECS: i64 = 60;

/// A code as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The client it was given to.
    pub client: ClientId,
    /// The address it was sent to.
    pub redirect_uri: RedirectUri,
    /// The challenge of the request behind it.
    pub challenge: CodeChallenge,
    /// What became of it.
    pub state: CodeState,
}

/// What became of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeState {
    /// Waits to be redeemed.
    Issued {
        /// From this moment on it is not good any more.
        expires_at: Timestamp,
    },
    /// Was redeemed; showing it again means that it leaked.
    Redeemed {
        /// When.
        at: Timestamp,
    },
}

/// Why a code is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// It is another client's. Nothing happens to it, else anybody could void codes.
    #[error("the code belongs to another client")]
    Foreign,
    /// It was redeemed before: the whole family of tokens must be revoked (RFC 9700 §4.5), in a
    /// transaction of its own so that the refusal does not roll it back.
    #[error("the code was redeemed before")]
    Replayed,
    /// It waited too long.
    #[error("the code has expired")]
    Expired,
    /// `redirect_uri` is not the one of the request.
    #[error("the redirect address differs")]
    RedirectDiffers,
    /// The verifier does not fit.
    #[error("the verifier does not fit")]
    WrongVerifier,
}

impl CodeRefused {
    /// Whether the tokens that came of this code must be revoked.
    #[must_use]
    pub const fn revokes_family(self) -> bool {
        match self {
            Self::Replayed => true,
            Self::Foreign | Self::Expired | Self::RedirectDiffers | Self::WrongVerifier => false,
        }
    }
}

impl From<CodeRefused> for OAuthError {
    /// All are `invalid_grant`; foreign, used and expired look like unknown.
    fn from(refused: CodeRefused) -> Self {
        match refused {
            CodeRefused::Foreign | CodeRefused::Replayed | CodeRefused::Expired => {
                Self::InvalidCode
            }
            CodeRefused::RedirectDiffers => Self::RedirectMismatch,
            CodeRefused::WrongVerifier => Self::WrongVerifier,
        }
    }
}

impl AuthorizationCode {
    /// Redeems the code for `client`.
    ///
    /// # Errors
    /// [`CodeRefused`]; ask it whether tokens must be revoked.
    pub fn redeem(
        self,
        client: ClientId,
        exchange: &CodeExchange,
        now: Timestamp,
    ) -> Result<Self, CodeRefused> {
        if self.client != client {
            return Err(CodeRefused::Foreign);
        }
        let state = self.state.redeem(now)?;
        if exchange.redirect_uri != self.redirect_uri.as_str() {
            return Err(CodeRefused::RedirectDiffers);
        }
        self.challenge
            .verify(&exchange.verifier)
            .map_err(|_wrong| CodeRefused::WrongVerifier)?;
        Ok(Self { state, ..self })
    }
}

impl CodeState {
    /// A code issued at `now`.
    #[must_use]
    pub fn issued(now: Timestamp) -> Self {
        let life = chrono::TimeDelta::seconds(AUTHORIZATION_CODE_LIFE_SECS);
        Self::Issued {
            expires_at: now.checked_add_signed(life).unwrap_or(now),
        }
    }

    fn redeem(self, now: Timestamp) -> Result<Self, CodeRefused> {
        match self {
            Self::Issued { expires_at } if now < expires_at => Ok(Self::Redeemed { at: now }),
            Self::Issued { .. } => Err(CodeRefused::Expired),
            Self::Redeemed { .. } => Err(CodeRefused::Replayed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoopbackHttp, OpaqueToken, TokenKind};
    use chrono::{DateTime, TimeDelta};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn now() -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn client(last: char) -> ClientId {
        format!("tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6{last}")
            .parse()
            .unwrap()
    }

    fn code() -> AuthorizationCode {
        AuthorizationCode {
            client: client('a'),
            redirect_uri: RedirectUri::parse("https://tpp.example/cb", LoopbackHttp::Refused)
                .unwrap(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
                .parse()
                .unwrap(),
            state: CodeState::issued(now()),
        }
    }

    fn exchange(redirect_uri: &str, verifier: &str) -> CodeExchange {
        CodeExchange {
            code: OpaqueToken::mint(TokenKind::Code, &[1; 32]),
            redirect_uri: redirect_uri.to_owned(),
            verifier: verifier.parse().unwrap(),
        }
    }

    fn good() -> CodeExchange {
        exchange("https://tpp.example/cb", VERIFIER)
    }

    #[test]
    fn a_code_is_redeemed_once() {
        let redeemed = code().redeem(client('a'), &good(), now()).unwrap();
        assert_eq!(redeemed.state, CodeState::Redeemed { at: now() });
        let again = redeemed.redeem(client('a'), &good(), now()).unwrap_err();
        assert_eq!(again, CodeRefused::Replayed);
        assert!(again.revokes_family());
        assert_eq!(OAuthError::from(again), OAuthError::InvalidCode);
    }

    #[test]
    fn a_code_lives_sixty_seconds() {
        let at = |seconds| now() + TimeDelta::seconds(seconds);
        assert!(code().redeem(client('a'), &good(), at(59)).is_ok());
        assert_eq!(
            code().redeem(client('a'), &good(), at(60)),
            Err(CodeRefused::Expired)
        );
    }

    #[test]
    fn another_client_gets_nothing_and_voids_nothing() {
        let refused = code().redeem(client('b'), &good(), now()).unwrap_err();
        assert_eq!(refused, CodeRefused::Foreign);
        assert!(!refused.revokes_family());
        let redeemed = code().redeem(client('a'), &good(), now()).unwrap();
        assert_eq!(
            redeemed.redeem(client('b'), &good(), now()),
            Err(CodeRefused::Foreign)
        );
    }

    #[test]
    fn address_and_verifier_must_be_those_of_the_request() {
        assert_eq!(
            code().redeem(
                client('a'),
                &exchange("https://tpp.example/cb/", VERIFIER),
                now()
            ),
            Err(CodeRefused::RedirectDiffers)
        );
        let other = VERIFIER.replace('d', "e");
        assert_eq!(
            code().redeem(
                client('a'),
                &exchange("https://tpp.example/cb", &other),
                now()
            ),
            Err(CodeRefused::WrongVerifier)
        );
    }
}
