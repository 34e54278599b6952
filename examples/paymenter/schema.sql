-- The one database of both sides. Words in braces are filled in per database by seed.py:
--   {pk}     a numbered primary key      {money}  an exact amount, kept as text where the database has no decimals
--   {moment} a point in time, UTC        {map}    a JSON document
--   {table}  table options

CREATE TABLE users (
    id {pk},
    first_name VARCHAR(100) NOT NULL,
    last_name VARCHAR(100) NOT NULL,
    email VARCHAR(190) NOT NULL UNIQUE,
    password VARCHAR(100) NOT NULL,
    role VARCHAR(20) NOT NULL DEFAULT 'client',
    is_active INTEGER NOT NULL DEFAULT 1,
    email_verified_at {moment} NULL,
    settings {map} NOT NULL,
    created_at {moment} NOT NULL,
    updated_at {moment} NOT NULL
){table};

CREATE TABLE plans (
    id {pk},
    slug VARCHAR(100) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    description VARCHAR(500) NULL,
    features {map} NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1,
    created_at {moment} NOT NULL
){table};

CREATE TABLE prices (
    id {pk},
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    period VARCHAR(20) NOT NULL,
    amount {money} NOT NULL,
    setup_fee {money} NOT NULL,
    currency CHAR(3) NOT NULL
){table};
CREATE INDEX prices_plan ON prices (plan_id);

CREATE TABLE orders (
    id {pk},
    user_id INTEGER NOT NULL REFERENCES users (id),
    status VARCHAR(20) NOT NULL,
    currency CHAR(3) NOT NULL,
    total {money} NOT NULL,
    created_at {moment} NOT NULL,
    updated_at {moment} NOT NULL
){table};
CREATE INDEX orders_user ON orders (user_id);

CREATE TABLE order_items (
    id {pk},
    order_id INTEGER NOT NULL REFERENCES orders (id),
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    price_id INTEGER NOT NULL REFERENCES prices (id),
    quantity INTEGER NOT NULL,
    amount {money} NOT NULL
){table};
CREATE INDEX order_items_order ON order_items (order_id);

CREATE TABLE subscriptions (
    id {pk},
    user_id INTEGER NOT NULL REFERENCES users (id),
    price_id INTEGER NOT NULL REFERENCES prices (id),
    quantity INTEGER NOT NULL,
    status VARCHAR(20) NOT NULL,
    cancel_at_period_end INTEGER NOT NULL DEFAULT 0,
    started_at {moment} NOT NULL,
    renews_on DATE NULL
){table};
CREATE INDEX subscriptions_user ON subscriptions (user_id);

CREATE TABLE services (
    id {pk},
    user_id INTEGER NOT NULL REFERENCES users (id),
    order_id INTEGER NULL,
    plan_id INTEGER NOT NULL REFERENCES plans (id),
    label VARCHAR(100) NOT NULL,
    status VARCHAR(20) NOT NULL,
    auto_renew INTEGER NOT NULL DEFAULT 1,
    properties {map} NOT NULL,
    renews_on DATE NULL,
    created_at {moment} NOT NULL,
    updated_at {moment} NOT NULL
){table};
CREATE INDEX services_user ON services (user_id);

CREATE TABLE invoices (
    id {pk},
    reference VARCHAR(20) NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id),
    status VARCHAR(20) NOT NULL,
    currency CHAR(3) NOT NULL,
    tax_rate {money} NOT NULL,
    due_on DATE NOT NULL,
    issued_at {moment} NOT NULL,
    paid_at {moment} NULL
){table};
CREATE INDEX invoices_user ON invoices (user_id);

CREATE TABLE invoice_items (
    id {pk},
    invoice_id INTEGER NOT NULL REFERENCES invoices (id),
    description VARCHAR(190) NOT NULL,
    quantity INTEGER NOT NULL,
    price {money} NOT NULL
){table};
CREATE INDEX invoice_items_invoice ON invoice_items (invoice_id);

CREATE TABLE tickets (
    id {pk},
    user_id INTEGER NOT NULL REFERENCES users (id),
    subject VARCHAR(190) NOT NULL,
    status VARCHAR(20) NOT NULL,
    priority VARCHAR(20) NOT NULL,
    created_at {moment} NOT NULL,
    updated_at {moment} NOT NULL
){table};
CREATE INDEX tickets_user ON tickets (user_id);

CREATE TABLE ticket_messages (
    id {pk},
    ticket_id INTEGER NOT NULL REFERENCES tickets (id),
    user_id INTEGER NOT NULL REFERENCES users (id),
    message TEXT NOT NULL,
    created_at {moment} NOT NULL
){table};
CREATE INDEX ticket_messages_ticket ON ticket_messages (ticket_id);

CREATE TABLE credits (
    id {pk},
    user_id INTEGER NOT NULL REFERENCES users (id),
    amount {money} NOT NULL,
    currency CHAR(3) NOT NULL,
    reason VARCHAR(190) NOT NULL,
    created_at {moment} NOT NULL
){table};
CREATE INDEX credits_user ON credits (user_id);
