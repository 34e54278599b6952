<?php

function me_show(array $user): void
{
    $paid = 0;
    $invoices = rows("SELECT * FROM invoices WHERE user_id = ? AND status = 'paid' ORDER BY id", [$user['id']]);
    $items = children('invoice_items', 'invoice_id', array_column($invoices, 'id'));
    foreach ($invoices as $invoice) {
        $paid += invoice_sums($invoice, $items[$invoice['id']])[3];
    }
    json(user_shape($user) + [
        'stats' => [
            'services' => value('SELECT COUNT(*) FROM services WHERE user_id = ?', [$user['id']]),
            'open_tickets' => value("SELECT COUNT(*) FROM tickets WHERE user_id = ? AND status <> 'closed'", [$user['id']]),
            'total_paid' => $paid, // a float sum, never rounded: 41.739999999999995 happens
        ],
    ]);
}

function me_update(array $user, array $body): void
{
    $clean = validate($body, [
        'first_name' => 'string|max:100',
        'last_name' => 'string|max:100',
        'settings' => 'map',
    ]);
    update('users', (int) $user['id'], $clean + ['updated_at' => now()]);
    me_show(find('users', (int) $user['id']));
}

function credits_show(array $user): void
{
    $entries = rows('SELECT * FROM credits WHERE user_id = ? ORDER BY id', [$user['id']]);
    json([
        'balance' => money(array_sum(array_column($entries, 'amount'))),
        'currency' => 'EUR',
        'entries' => array_map(fn ($entry) => [
            'id' => $entry['id'],
            'amount' => $entry['amount'],
            'reason' => $entry['reason'],
            'created_at' => $entry['created_at'],
        ], $entries),
    ], 200, false);
}

function billing_history(array $user): void
{
    $shape = fn ($rows) => array_map(function ($invoice) {
        unset($invoice['items'], $invoice['user_id'], $invoice['subtotal'], $invoice['tax']);
        return $invoice;
    }, invoices_shape($rows));
    json(page_of('invoices', ['status'], $shape, 'id', ['user_id' => $user['id']]));
}

function subscriptions_shape(array $rows): array
{
    $shaped = [];
    foreach ($rows as $row) {
        $price = row('SELECT * FROM prices WHERE id = ?', [$row['price_id']]);
        $plan = row('SELECT * FROM plans WHERE id = ?', [$price['plan_id']]);
        $shaped[] = [
            'id' => $row['id'],
            'plan' => ['id' => $plan['id'], 'name' => $plan['name']],
            'price' => ['id' => $price['id'], 'period' => $price['period'], 'amount' => $price['amount']],
            'quantity' => $row['quantity'],
            'amount' => money($price['amount'] * $row['quantity']),
            'status' => $row['status'],
            'cancel_at_period_end' => $row['cancel_at_period_end'],
            'started_at' => $row['started_at'],
            'renews_on' => $row['renews_on'],
        ];
    }
    return $shaped;
}

function subscriptions_list(array $user): void
{
    json(page_of('subscriptions', ['status'], 'subscriptions_shape', 'id', ['user_id' => $user['id']]));
}

function own_subscription(int $id, array $user): array
{
    $found = find('subscriptions', $id);
    if ($found['user_id'] !== $user['id']) {
        fail(404, 'Not Found');
    }
    return $found;
}

function subscriptions_show(int $id, array $user): void
{
    json(subscriptions_shape([own_subscription($id, $user)])[0]);
}

function subscriptions_create(array $user, array $body): void
{
    $clean = validate($body, ['price_id' => 'required|number', 'quantity' => 'number']);
    if (row('SELECT * FROM prices WHERE id = ?', [$clean['price_id']]) === null) {
        invalid(['price_id' => ['The selected price_id is invalid.']]);
    }
    $id = insert('subscriptions', [
        'user_id' => $user['id'],
        'price_id' => $clean['price_id'],
        'quantity' => $clean['quantity'] ?? 1,
        'status' => 'active',
        'cancel_at_period_end' => 0,
        'started_at' => now(),
        'renews_on' => null,
    ]);
    json(subscriptions_shape([find('subscriptions', $id)])[0], 201);
}

function subscriptions_cancel(int $id, array $user): void
{
    own_subscription($id, $user);
    update('subscriptions', $id, ['status' => 'cancelled', 'renews_on' => null]);
    no_content();
}
