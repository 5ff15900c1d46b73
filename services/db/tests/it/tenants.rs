//! Tenants come, are suspended and are found again.

use branchline_db::doctor;
use branchline_db::provision::{self, ProvisionError, Serving, set_serving};
use branchline_db::{Access, DbError};
use branchline_kernel::{Clock, Iban, Secret, SystemClock};

use branchline_testkit::new_tenant;

use crate::installation;

#[tokio::test]
async fn a_suspended_tenant_is_read_but_not_written() {
    let Some(at) = installation().await else {
        return;
    };
    set_serving(&at.admin, &at.lion, Serving::Suspended, "audit")
        .await
        .unwrap();
    let refused = at.core.tenant(&at.lion, "t", Access::Write).await;
    assert!(matches!(refused, Err(DbError::Suspended)));
    assert!(at.core.tenant(&at.lion, "t", Access::Read).await.is_ok());
    assert!(
        at.core
            .tenant(&at.elephant, "t", Access::Write)
            .await
            .is_ok()
    );
    set_serving(&at.admin, &at.lion, Serving::Open, "")
        .await
        .unwrap();
    assert!(at.core.tenant(&at.lion, "t", Access::Write).await.is_ok());
}

#[tokio::test]
async fn the_register_finds_tenants_by_name_and_by_iban() {
    let Some(at) = installation().await else {
        return;
    };
    let lion = at
        .gateway
        .find_tenant(&"lion".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((lion.id, lion.currency.code()), (at.lion.clone(), "EUR"));
    assert_eq!(
        at.gateway
            .find_tenant(&"zebra".parse().unwrap())
            .await
            .unwrap(),
        None
    );
    let iban = Iban::of("DE", "700100020000000017").unwrap();
    assert_eq!(
        at.core.find_tenant_of(&iban).await.unwrap(),
        Some(at.elephant.clone())
    );
    let foreign = Iban::of("DE", "370400440532013000").unwrap();
    assert_eq!(at.core.find_tenant_of(&foreign).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_or_a_bank_code_is_given_once() {
    let Some(at) = installation().await else {
        return;
    };
    let id = "zzz1".parse().unwrap();
    let twice =
        provision::create(&at.admin, &new_tenant(&id, "lion", "9"), SystemClock.now()).await;
    assert!(matches!(twice, Err(ProvisionError::SlugTaken(_))));
    let coded = provision::create(
        &at.admin,
        &new_tenant(&id, "zebra", "70010001"),
        SystemClock.now(),
    )
    .await;
    assert!(matches!(coded, Err(ProvisionError::BankCodeTaken(_))));
    assert_eq!(at.core.tenants().await.unwrap().len(), 2);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let Some(at) = installation().await else {
        return;
    };
    at.admin.platform().await.unwrap();
    assert_eq!(at.admin.tenants().await.unwrap(), 2);
}

#[tokio::test]
async fn the_doctor_finds_a_right_that_nobody_should_have() {
    let Some(at) = installation().await else {
        return;
    };
    let url = Secret::new(at.superuser_url.clone());
    let logins = [login_of(&at.core_url)];
    let examine = async || doctor::examine(&url, &logins).await.unwrap();
    assert!(
        examine().await.iter().all(|check| check.holds),
        "{:?}",
        examine().await
    );
    let schema = format!("t_{}", at.lion);
    for (harm, rule) in [
        (
            "GRANT EXECUTE ON FUNCTION tenant_gate(boolean) TO PUBLIC",
            "no function of a tenant's schema",
        ),
        (
            "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC",
            "an injected value",
        ),
        (
            "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC",
            "nobody may run anonymous",
        ),
    ] {
        at.as_superuser(&schema, harm).await;
        let found = examine().await;
        assert!(
            found
                .iter()
                .any(|check| !check.holds && check.rule.starts_with(rule)),
            "{harm}"
        );
    }
}

fn login_of(url: &str) -> String {
    url.split(['/', ':']).nth(3).unwrap_or_default().to_owned()
}
