//! Mistakes made on purpose: a torture that does not find them proves nothing.

use branchline_db::Operator;
use branchline_kernel::TenantId;
use clap::ValueEnum;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Plant {
    /// The engine answers before its commit.
    AnswerBeforeCommit,
    /// The engine leaves behind what rides on a command.
    LoseRider,
    /// The database does not keep refusals.
    ForgetRefusal,
    /// The database locks accounts in the order in which they are named, slowly enough for two to meet.
    LockInAnyOrder,
}

impl Plant {
    /// What is replaced in the database's function, and by what.
    const fn edit(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::AnswerBeforeCommit | Self::LoseRider => None,
            Self::ForgetRefusal => Some((
                "s(i) WHERE c_old[i] IS NULL;",
                "s(i) WHERE c_old[i] IS NULL AND c_reason[i] = 0;",
            )),
            Self::LockInAnyOrder => Some((
                "SELECT array_agg(q.first_day), array_agg(q.last_day) INTO b_first, b_last",
                "FOR x IN 1..coalesce(cardinality(p_account), 0) LOOP PERFORM FROM account g \
                 WHERE g.id = p_account[x] FOR NO KEY UPDATE; PERFORM pg_sleep(0.001); END LOOP;\n    \
                 SELECT array_agg(q.first_day), array_agg(q.last_day) INTO b_first, b_last",
            )),
        }
    }

    /// Changes the database's function, as the superuser.
    pub(super) async fn put_into(
        self,
        root: &mut Operator,
        tenant: &TenantId,
    ) -> anyhow::Result<()> {
        let Some(edit) = self.edit() else {
            return Ok(());
        };
        let was_there = root.break_function(tenant, "post_batch", edit).await?;
        anyhow::ensure!(was_there, "the function has no place for {self:?}");
        Ok(())
    }
}
