//! Who the caller is here, and which accounts are the caller's own.

use branchline_banking::{self as banking, Account, AccountError, Login, Member, MemberError};
use branchline_db::TenantTx;
use branchline_iam::{Principal, Right};
use branchline_kernel::AccountId;
use branchline_web::Problem;

/// The member behind the call, if the person who acts, or is acted for, is one.
pub(crate) async fn find_member(
    tx: &TenantTx,
    caller: &Principal,
) -> Result<Option<Member>, MemberError> {
    let person = caller.person();
    let login = Login {
        issuer: person.issuer.clone(),
        subject: person.subject.clone(),
    };
    banking::find_member_by_login(tx, &login).await
}

/// The account with that id, if the caller may see it: staff with the right see any, a person sees
/// their own as far as the token covers it. Anything else is answered like an account that does
/// not exist.
pub(crate) async fn readable_account(
    tx: &TenantTx,
    caller: &Principal,
    id: AccountId,
) -> Result<Account, Problem> {
    let account = banking::get_account(tx, id).await?;
    let sees_any = caller.may(Right::ReadAnyAccount) && caller.covers(id);
    if !sees_any && !owns(tx, caller, &account).await? {
        return Err(AccountError::NotFound.into());
    }
    Ok(account)
}

/// Whether the account is the caller's own and the token covers it.
pub(crate) async fn owns(
    tx: &TenantTx,
    caller: &Principal,
    account: &Account,
) -> Result<bool, Problem> {
    let member = find_member(tx, caller).await?;
    let is_owner = member.is_some_and(|member| member.id == account.member);
    Ok(is_owner && caller.covers(account.id))
}
