//! Promises about the operator itself or the whole cluster, played while no other is.

mod idle_shop_is_quiet;
mod survives_operator_kill;
