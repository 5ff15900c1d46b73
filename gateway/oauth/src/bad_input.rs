//! Input that nobody planned for: it is refused in words, and nothing panics.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::{
    AuthorizationCall, ClientAssertion, ClientId, CodeChallenge, Issuer, LoopbackHttp, OAuthError,
    OpaqueToken, Params, RedirectUri, RegistrationRequest, RequestUri, ResourceScope, TokenKind,
    bearer_token, denied_redirect,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i64>().prop_map(|number| serde_json::from_str(&format!("{number}.5e3")).unwrap()),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map(".{0,8}", inner, 0..4).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_form_or_refused(bytes: Vec<u8>) {
        if let Ok(params) = Params::decode(&bytes) {
            prop_assert!(AuthorizationCall::parse(&params).is_err());
            prop_assert!(ClientAssertion::read(&params).is_err());
        }
    }

    #[test]
    fn any_text_is_refused_where_ours_is_expected(text: String) {
        prop_assert!(text.parse::<ClientId>().is_err());
        prop_assert!(text.parse::<RequestUri>().is_err());
        prop_assert!(text.parse::<ResourceScope>().is_err());
        prop_assert!(text.parse::<CodeChallenge>().is_err());
        prop_assert!(OpaqueToken::parse(TokenKind::Code, &text).is_err());
        prop_assert!(!matches!(bearer_token(Some(&text)), Ok(Some(_))));
    }

    #[test]
    fn any_three_parts_are_no_assertion(parts in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,3}") {
        let form = format!(
            "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={parts}"
        );
        let params = Params::decode(form.as_bytes());
        prop_assert!(params.is_ok_and(|params| ClientAssertion::read(&params).is_err()));
    }

    #[test]
    fn any_accepted_address_makes_a_safe_header(rest in ".{0,60}", state: String) {
        let parsed = RedirectUri::parse(&format!("https://tpp.example{rest}"), LoopbackHttp::Refused);
        if let Ok(uri) = parsed {
            let slug = "lion".parse().map_err(|_malformed| proptest::test_runner::TestCaseError::fail("slug"))?;
            let issuer = Issuer::of("https://pay.example", &slug);
            let location =
                denied_redirect(&uri, Some(&state), &issuer, &OAuthError::RefusedByMember);
            prop_assert!(location.starts_with(uri.as_str()));
            prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
            prop_assert!(!location.contains('#'));
        }
    }

    #[test]
    fn any_registration_is_accepted_or_refused_in_words(
        member in "client_name|redirect_uris|jwks|roles|grant_types|response_types",
        value in any_json(),
    ) {
        let mut body = json!({"client_name": "x", "redirect_uris": ["https://x.example"],
            "roles": ["AISP"], "jwks": {"keys": []}});
        body[&member] = value;
        let refused = RegistrationRequest::parse(body)
            .and_then(|request| request.validate(LoopbackHttp::Refused))
            .err();
        prop_assert_eq!(refused.map(|error| error.oauth_code().status()), Some(400));
    }
}
