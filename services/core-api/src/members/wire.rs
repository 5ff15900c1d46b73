//! Members on the wire.

use branchline_banking::{Login, Member, NewMember};
use branchline_core_contract::{LoginDto, MemberDto, NewMemberDto};
use branchline_web::Problem;

use crate::input::line;

pub(super) fn parse_new_member(dto: NewMemberDto) -> Result<NewMember, Problem> {
    let NewMemberDto {
        name,
        login: LoginDto { issuer, subject },
    } = dto;
    Ok(NewMember {
        name: line("name", name, 140)?,
        login: Login {
            issuer: line("login.issuer", issuer, 500)?,
            subject: line("login.subject", subject, 255)?,
        },
    })
}

pub(super) fn show_member(member: &Member) -> MemberDto {
    MemberDto {
        member_id: member.id.uuid(),
    }
}
