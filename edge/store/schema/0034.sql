-- Whose order was whose is forgotten by age.
CREATE INDEX phone_orders_at ON phone_orders (at);
