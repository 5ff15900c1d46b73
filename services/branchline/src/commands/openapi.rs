//! `branchline openapi`: the API documents, made from the code.

use clap::Args;

use crate::terminal::say;

/// Which document.
#[derive(Args)]
pub(crate) struct Document {
    /// `core` or `xs2a`.
    #[arg(value_parser = ["core", "xs2a"])]
    name: String,
}

/// Prints it.
pub(crate) fn run(document: &Document) -> anyhow::Result<()> {
    let api = match document.name.as_str() {
        "core" => branchline_core_api::openapi(),
        _ => branchline_gateway_api::openapi(),
    };
    // Through a value, so that members are sorted and the file changes only with the API.
    say(&serde_json::to_string_pretty(&serde_json::to_value(&api)?)?);
    Ok(())
}
