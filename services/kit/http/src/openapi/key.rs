//! The `Idempotency-Key` header of every operation that has one: whatever a handler says of it, its rules are the same.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// Visible ASCII, as the kit's idempotency reads it.
const VISIBLE: &str = "^[!-~]+$";
const LONGEST: usize = 255;

pub(super) fn describe(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            let header = matches!(parameter.parameter_in, ParameterIn::Header);
            if header && parameter.name.eq_ignore_ascii_case("idempotency-key") {
                parameter.schema = Some(RefOr::T(schema()));
            }
        }
    }
}

fn schema() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = text
        .min_length(Some(1))
        .max_length(Some(LONGEST))
        .pattern(Some(VISIBLE));
    Schema::Object(text.build())
}
