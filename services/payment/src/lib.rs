//! Payments: authorise, capture, void, refund; one capture per order.
