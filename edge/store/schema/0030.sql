-- Central cashier (集中收银): counter tickets that a till has collected into one basket, with the lines they gave.
CREATE TABLE collected_tickets (
    basket_id    TEXT NOT NULL REFERENCES baskets (basket_id),
    ticket_id    TEXT NOT NULL REFERENCES tickets (ticket_id),
    line_ids     TEXT NOT NULL,
    collected_at INTEGER NOT NULL,
    PRIMARY KEY (basket_id, ticket_id)
) STRICT, WITHOUT ROWID;
