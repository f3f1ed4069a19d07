//! Bought together, for you, best sellers; hourly sales and the funnel.
