//! Members: the people whom the institution serves, and how they sign in.

mod error;
mod rows;

use branchline_db::{OnConstraint, TenantTx};
use branchline_kernel::MemberId;

pub use error::MemberError;

/// Who signs a member in, and under what subject: what a token says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The `iss` of the member's tokens.
    pub issuer: String,
    /// The `sub` of the member's tokens.
    pub subject: String,
}

/// A person to enroll.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// The member's name: any 1 to 140 characters.
    pub name: String,
    /// How the member signs in.
    pub login: Login,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The member's id.
    pub id: MemberId,
    /// The member's name.
    pub name: String,
}

/// Enrolls a member together with the login.
///
/// # Errors
/// [`MemberError::LoginTaken`] when that login is a member already.
pub async fn enroll(tx: &TenantTx, new: NewMember) -> Result<Member, MemberError> {
    let member = Member {
        id: tx.next_id().into(),
        name: new.name,
    };
    rows::insert(tx, &member).await?;
    rows::insert_login(tx, &member, &new.login)
        .await
        .on_constraint("member_login_pkey", || MemberError::LoginTaken)?;
    Ok(member)
}

/// The member who signs in like that.
///
/// # Errors
/// [`MemberError::Db`].
pub async fn find_member_by_login(
    tx: &TenantTx,
    login: &Login,
) -> Result<Option<Member>, MemberError> {
    Ok(rows::find_by_login(tx, login).await?)
}
