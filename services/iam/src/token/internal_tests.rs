//! Internal tokens: what is accepted and what is not.

use branchline_kernel::{AccountId, Timestamp};
use serde_json::{Value, json};

use super::jws::Jws;
use super::*;
use crate::{ActorKind, ActorRef, Principal, Right};

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now()
        .checked_add_signed(chrono::TimeDelta::seconds(seconds))
        .unwrap()
}

fn principal() -> Principal {
    Principal {
        tenant: "t_lion".parse().unwrap(),
        actor: ActorRef::new(ActorKind::Tpp, "https://bank.example/t/lion", "savanna"),
        on_behalf_of: Some(ActorRef::new(
            ActorKind::Member,
            "https://id.example",
            "4711",
        )),
        rights: [Right::ReadOwnAccounts].into_iter().collect(),
        accounts: Some(vec![AccountId::from(uuid::Uuid::from_u128(7))]),
        reference: Some("consent:1".to_owned()),
    }
}

fn pair() -> (InternalSigner, InternalVerifier, InternalKeyPair) {
    let keys = generate_internal_key().unwrap();
    let signer = InternalSigner::try_new(&keys.private_pem).unwrap();
    let verifier = InternalVerifier::try_new(&keys.public_pem, None).unwrap();
    (signer, verifier, keys)
}

/// Signs whatever claims and header with the right key, as only a broken gateway would.
fn signed(keys: &InternalKeyPair, header: jsonwebtoken::Header, claims: &Value) -> String {
    let key = jsonwebtoken::EncodingKey::from_ed_pem(keys.private_pem.expose().as_bytes());
    jsonwebtoken::encode(&header, claims, &key.unwrap()).unwrap()
}

fn good_header(signer: &InternalSigner) -> jsonwebtoken::Header {
    let token = signer.sign(&principal(), now()).unwrap();
    Jws::parse(&token).unwrap().header
}

fn claims() -> Value {
    json!({
        "aud": "branchline-core", "iat": now().timestamp(), "exp": after(60).timestamp(),
        "jti": "1", "tenant": "t_lion", "rights": [],
        "actor": {"kind": "tpp", "issuer": "", "subject": "savanna"},
    })
}

#[test]
fn the_core_sees_the_principal_that_the_gateway_named() {
    let (signer, verifier, _) = pair();
    let token = signer.sign(&principal(), now()).unwrap();
    assert!(is_internal(&token));
    assert_eq!(verifier.verify(&token, after(59)).unwrap(), principal());
}

#[test]
fn a_token_ends_after_sixty_seconds_and_does_not_start_early() {
    let (signer, verifier, _) = pair();
    let token = signer.sign(&principal(), now()).unwrap();
    assert!(matches!(
        verifier.verify(&token, after(60)),
        Err(TokenError::Expired)
    ));
    assert!(verifier.verify(&token, after(-10)).is_ok());
    assert!(matches!(
        verifier.verify(&token, after(-11)),
        Err(TokenError::NotYetValid)
    ));
}

#[test]
fn a_key_that_is_no_longer_known_is_refused_and_the_next_one_accepted() {
    let (old, old_verifier, old_keys) = pair();
    let (new, _, new_keys) = pair();
    let both = InternalVerifier::try_new(&old_keys.public_pem, Some(&new_keys.public_pem)).unwrap();
    for signer in [&old, &new] {
        let token = signer.sign(&principal(), now()).unwrap();
        assert!(both.verify(&token, now()).is_ok());
    }
    let token = new.sign(&principal(), now()).unwrap();
    assert!(matches!(
        old_verifier.verify(&token, now()),
        Err(TokenError::UnknownKey)
    ));
}

#[test]
fn a_changed_token_is_refused_wherever_it_was_changed() {
    let (signer, verifier, keys) = pair();
    let token = signer.sign(&principal(), now()).unwrap();
    let other = signed(&keys, good_header(&signer), &claims());
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let payload = other.split('.').nth(1).unwrap();
    assert!(matches!(
        verifier.verify(&format!("{header}.{payload}.{signature}"), now()),
        Err(TokenError::Signature)
    ));
    assert!(
        verifier
            .verify(&format!("{header}.{payload}."), now())
            .is_err()
    );
    assert!(verifier.verify(&format!("{head}.AAAA"), now()).is_err());
}

#[test]
fn a_token_that_was_accepted_before_ends_in_its_time_all_the_same() {
    let (signer, verifier, _) = pair();
    let token = signer.sign(&principal(), now()).unwrap();
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token, now()).unwrap(), principal());
    }
    assert!(matches!(
        verifier.verify(&token, after(60)),
        Err(TokenError::Expired)
    ));
    assert!(matches!(
        verifier.verify(&token, after(-11)),
        Err(TokenError::NotYetValid)
    ));
    assert!(verifier.verify(&token, after(59)).is_ok());
}

#[test]
fn the_same_claims_under_another_signature_are_refused_after_the_good_token_was_accepted() {
    let (signer, verifier, _) = pair();
    let (stranger, _, _) = pair();
    let token = signer.sign(&principal(), now()).unwrap();
    assert!(verifier.verify(&token, now()).is_ok());
    let forged = stranger.sign(&principal(), now()).unwrap();
    let (head, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = forged.rsplit_once('.').unwrap();
    for _ in 0..2 {
        assert!(matches!(
            verifier.verify(&format!("{head}.{signature}"), now()),
            Err(TokenError::Signature)
        ));
    }
}

#[test]
fn two_tokens_do_not_mix() {
    let (signer, verifier, _) = pair();
    let other = Principal {
        tenant: "t_elephant".parse().unwrap(),
        rights: [Right::PostLedger].into_iter().collect(),
        ..principal()
    };
    let (one, two) = (signer.sign(&principal(), now()), signer.sign(&other, now()));
    let (one, two) = (one.unwrap(), two.unwrap());
    for _ in 0..2 {
        assert_eq!(verifier.verify(&one, now()).unwrap(), principal());
        assert_eq!(verifier.verify(&two, now()).unwrap(), other);
    }
}

#[test]
fn an_unsigned_token_and_one_signed_with_a_shared_secret_are_refused() {
    let (signer, verifier, keys) = pair();
    let kid = good_header(&signer).kid.unwrap();
    let encode = |part: &Value| {
        base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            part.to_string(),
        )
    };
    for algorithm in ["none", "None", "HS999"] {
        let header = json!({"alg": algorithm, "typ": "branchline-internal+jwt", "kid": kid});
        let token = format!("{}.{}.", encode(&header), encode(&claims()));
        assert!(matches!(
            verifier.verify(&token, now()),
            Err(TokenError::Algorithm)
        ));
    }
    // The classic trick: the public key's text taken as the shared secret.
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.typ = Some("branchline-internal+jwt".to_owned());
    header.kid = Some(kid);
    let secret = jsonwebtoken::EncodingKey::from_secret(keys.public_pem.as_bytes());
    let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
    assert!(matches!(
        verifier.verify(&token, now()),
        Err(TokenError::Algorithm)
    ));
}

#[test]
fn a_token_for_others_or_for_longer_is_refused() {
    let (signer, verifier, keys) = pair();
    let refusal = |change: Value| {
        let mut claims = claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        verifier
            .verify(&signed(&keys, good_header(&signer), &claims), now())
            .unwrap_err()
    };
    assert!(matches!(
        refusal(json!({"aud": "branchline-gateway"})),
        TokenError::Audience
    ));
    assert!(matches!(
        refusal(json!({"aud": ["branchline-core", "other"]})),
        TokenError::Audience
    ));
    assert!(matches!(
        refusal(json!({"exp": after(61).timestamp()})),
        TokenError::LivesTooLong { most: 60 }
    ));
    assert!(matches!(
        refusal(json!({"exp": "soon"})),
        TokenError::Malformed
    ));
    assert!(matches!(
        refusal(json!({"rights": ["rule-the-world"]})),
        TokenError::Malformed
    ));
    assert!(matches!(
        refusal(json!({"admin": true})),
        TokenError::Malformed
    ));
    assert!(matches!(
        refusal(json!({"tenant": "t\"; drop"})),
        TokenError::Malformed
    ));
}

#[test]
fn a_token_of_another_type_or_with_a_critical_extension_is_refused() {
    let (signer, verifier, keys) = pair();
    let mut header = good_header(&signer);
    header.typ = Some("JWT".to_owned());
    let token = signed(&keys, header, &claims());
    assert!(!is_internal(&token));
    assert!(verifier.verify(&token, now()).is_err());
    let mut header = good_header(&signer);
    header.crit = Some(vec!["b64".to_owned()]);
    assert!(
        verifier
            .verify(&signed(&keys, header, &claims()), now())
            .is_err()
    );
    assert!(
        verifier
            .verify(&signed(&keys, good_header(&signer), &claims()), now())
            .is_ok()
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let (_, verifier, _) = pair();
    let long = "a".repeat(20_000);
    for text in ["", ".", "..", "a.b.c", "....", "é.é.é", long.as_str()] {
        assert!(matches!(
            verifier.verify(text, now()),
            Err(TokenError::Malformed)
        ));
    }
}

#[test]
fn keys_of_another_sort_are_refused() {
    let keys = generate_internal_key().unwrap();
    assert!(InternalSigner::try_new(&branchline_kernel::Secret::new(keys.public_pem)).is_err());
    assert!(InternalVerifier::try_new(keys.private_pem.expose(), None).is_err());
    assert!(InternalVerifier::try_new("not a key", None).is_err());
}
