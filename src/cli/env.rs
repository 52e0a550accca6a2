//! `opw-task env STACK`: every variable with its origin.

use crate::secret::MASK;
use crate::stack::{Stack, Value};
use crate::ui::{Table, Ui};

/// Shows the variables of a stack. Secrets are masked, always.
pub(super) fn env(stack: &Stack, ui: &mut Ui) {
    let mut table = Table::new(["variable", "value", "from"]);
    for (name, variable) in stack.variables.iter() {
        let value = match &variable.value {
            Value::Plain(text) => text.as_str(),
            Value::Secret(_) => MASK,
        };
        table.row([name, value, &variable.origin.to_string()]);
    }
    ui.table(&table);
    for (path, there) in &stack.env_files {
        if !there {
            ui.say(&format!("{path} does not exist"));
        }
    }
}
