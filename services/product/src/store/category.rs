//! The tree of categories: two levels, kept so by the statement that writes.

use shop_contract::api::product::{Category, NewCategory, Subcategory};
use shop_kit_postgres::{Pool, StoreError};
use sqlx::Row;

/// Why a category was not written.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// The parent is not there, or is no category of the upper level.
    Parent,
    /// It has categories below it, so it must stay on the upper level.
    HasChildren,
}

/// Upper level and below, both by name.
pub async fn tree(pool: &Pool) -> Result<Vec<Category>, StoreError> {
    let rows = sqlx::query("select slug, name, parent from product_categories order by parent nulls first, name, slug")
        .fetch_all(pool.executor())
        .await
        .map_err(|error| pool.error(&error))?;
    let mut tree: Vec<Category> = Vec::new();
    for row in rows {
        let read = || Ok((row.try_get("slug")?, row.try_get("name")?, row.try_get("parent")?));
        let (slug, name, parent): (String, String, Option<String>) =
            read().map_err(|error: sqlx::Error| pool.error(&error))?;
        match parent {
            None => tree.push(Category {
                slug,
                name,
                children: Vec::new(),
            }),
            Some(parent) => {
                let above = tree.iter_mut().find(|category| category.slug == parent);
                above.into_iter().for_each(|above| {
                    above.children.push(Subcategory {
                        slug: slug.clone(),
                        name: name.clone(),
                    })
                });
            }
        }
    }
    Ok(tree)
}

/// Makes the category or changes it; the lock keeps two writers from building a third level together.
pub async fn put(pool: &Pool, slug: &str, new: &NewCategory) -> Result<Result<(), Refused>, StoreError> {
    let store = |error: sqlx::Error| pool.error(&error);
    let mut transaction = pool.begin().await?;
    sqlx::query("lock table product_categories in share row exclusive mode")
        .execute(&mut *transaction)
        .await
        .map_err(store)?;
    if let Some(parent) = &new.parent {
        let upper = "select exists (select from product_categories where slug = $1 and parent is null)";
        let upper: bool = sqlx::query_scalar(upper)
            .bind(parent)
            .fetch_one(&mut *transaction)
            .await
            .map_err(store)?;
        if !upper || parent == slug {
            return Ok(Err(Refused::Parent));
        }
        let above: bool = sqlx::query_scalar("select exists (select from product_categories where parent = $1)")
            .bind(slug)
            .fetch_one(&mut *transaction)
            .await
            .map_err(store)?;
        if above {
            return Ok(Err(Refused::HasChildren));
        }
    }
    sqlx::query(
        "insert into product_categories (slug, name, parent) values ($1, $2, $3) \
         on conflict (slug) do update set name = excluded.name, parent = excluded.parent",
    )
    .bind(slug)
    .bind(&new.name)
    .bind(&new.parent)
    .execute(&mut *transaction)
    .await
    .map_err(store)?;
    pool.commit(transaction).await.map(Ok)
}

/// For the seed: adds what is not there yet, parents first.
pub async fn insert(pool: &Pool, categories: &[(&str, &str, Option<&str>)]) -> Result<(), StoreError> {
    for (slug, name, parent) in categories {
        sqlx::query("insert into product_categories (slug, name, parent) values ($1, $2, $3) on conflict do nothing")
            .bind(slug)
            .bind(name)
            .bind(parent)
            .execute(pool.executor())
            .await
            .map_err(|error| pool.error(&error))?;
    }
    Ok(())
}
