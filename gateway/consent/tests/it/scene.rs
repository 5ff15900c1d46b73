//! Who and what the tests are about.

use branchline_consent::{consents, sca};
use branchline_db::{Access, TenantTx};
use branchline_kernel::{AccountId, Clock, ConsentId, ResourceId, TppId};
use branchline_oauth::{LoopbackHttp, OpaqueToken, Registration, RegistrationRequest, TokenKind};
use branchline_testkit::Installation;
use branchline_xs2a::{Consent, ConsentRequest, GrantedAccount, Moment, Permissions, Psu};
use serde_json::json;

pub(crate) const IBAN: &str = "DE89370400440532013000";

pub(crate) async fn installation() -> Option<Installation> {
    branchline_testkit::installation("the gateway's rows", 3).await
}

/// A key from RFC 7517, appendix A.1.
pub(crate) fn registration(name: &str) -> Registration {
    let body = json!({
        "client_name": name,
        "redirect_uris": ["https://tpp.example/back"],
        "roles": ["AISP", "PISP"],
        "jwks": { "keys": [{
            "kty": "EC", "crv": "P-256", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        }]},
    });
    let request = RegistrationRequest::parse(body).unwrap();
    request.validate(LoopbackHttp::Refused).unwrap()
}

pub(crate) fn token(kind: TokenKind, seed: u8) -> OpaqueToken {
    OpaqueToken::mint(kind, &[seed; 32])
}

pub(crate) fn amina() -> Psu {
    Psu {
        issuer: "https://id.example/lion".to_owned(),
        subject: "amina".to_owned(),
    }
}

pub(crate) fn joseph() -> Psu {
    Psu {
        subject: "joseph".to_owned(),
        ..amina()
    }
}

impl Scene for Installation {
    async fn at_lion(&self) -> TenantTx {
        let door = self
            .gateway
            .tenant(&self.lion, "test:consent", Access::Write);
        door.await.unwrap()
    }

    fn moment(&self) -> Moment {
        Moment::utc(self.clock.now())
    }
}

pub(crate) trait Scene {
    async fn at_lion(&self) -> TenantTx;
    fn moment(&self) -> Moment;
}

/// A consent that waits, with its run.
pub(crate) async fn asked(tx: &TenantTx, tpp: TppId, moment: Moment) -> ConsentId {
    let body = json!({
        "access": { "accounts": [], "balances": [], "transactions": [] },
        "recurringIndicator": true,
        "validUntil": "9999-12-31",
        "frequencyPerDay": 2,
        "combinedServiceIndicator": false,
    });
    let request = ConsentRequest::parse(&body, moment).unwrap();
    let id = ConsentId::from(tx.next_id());
    let consent = Consent::received(id, tpp, request, moment);
    consents::insert(tx, &consent).await.unwrap();
    sca::insert(tx, sca::Object::Consent(id)).await.unwrap();
    id
}

/// One account, as she chose it.
pub(crate) fn chosen(tx: &TenantTx) -> Vec<GrantedAccount> {
    vec![GrantedAccount {
        resource: ResourceId::from(tx.next_id()),
        account: AccountId::from(tx.next_id()),
        iban: IBAN.parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        permissions: Permissions::ALL,
    }]
}
