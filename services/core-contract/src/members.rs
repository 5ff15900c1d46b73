//! Members of the institution.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person to enroll as a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMemberDto {
    /// The member's name as the member writes it.
    #[schema(example = "Amina Otieno", min_length = 1, max_length = 140)]
    pub name: String,
    /// How the member signs in.
    pub login: LoginDto,
}

/// Who signs the member in, and under what subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginDto {
    /// The `iss` of the member's tokens.
    #[schema(
        example = "https://id.example/realms/lion",
        min_length = 1,
        max_length = 500
    )]
    pub issuer: String,
    /// The `sub` of the member's tokens.
    #[schema(example = "4711", min_length = 1, max_length = 255)]
    pub subject: String,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberDto {
    /// The member's id.
    pub member_id: Uuid,
}
