//! A filter as conditions of a statement. Everything a client sent is bound, never part of the text.

use super::Filter;
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

/// Appends ` where …`.
pub(super) fn push(statement: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let Filter {
        text,
        category,
        brands,
        attributes,
        least_cents,
        most_cents,
    } = filter;
    statement.push(" where listed");
    if let Some(text) = text {
        statement.push(" and search @@ ");
        push_text(statement, text);
        // What an index could find of it: nothing (T is for true) when it only excludes, and then nothing is found.
        statement.push(" and querytree(");
        push_text(statement, text);
        statement.push(") not in ('', 'T')");
    }
    if let Some(category) = category {
        statement
            .push(" and category = any(array(select slug from product_categories where slug = ")
            .push_bind(category.clone())
            .push(" or parent = ")
            .push_bind(category.clone())
            .push("))");
    }
    if !brands.is_empty() {
        statement.push(" and brand = any(").push_bind(brands.clone()).push(")");
    }
    if !attributes.is_empty() {
        statement
            .push(" and attributes @> ")
            .push_bind(Json(attributes.clone()));
    }
    if let Some(least) = least_cents {
        statement.push(" and price_cents >= ").push_bind(*least);
    }
    if let Some(most) = most_cents {
        statement.push(" and price_cents <= ").push_bind(*most);
    }
}

pub(super) fn push_text(statement: &mut QueryBuilder<Postgres>, text: &str) {
    statement
        .push("websearch_to_tsquery('english', ")
        .push_bind(text.to_owned())
        .push(")");
}
