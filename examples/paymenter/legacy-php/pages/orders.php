<?php

function orders_shape(array $rows): array
{
    $items = children('order_items', 'order_id', array_column($rows, 'id'));
    return array_map(fn ($order) => [
        'id' => $order['id'],
        'user_id' => $order['user_id'],
        'status' => $order['status'],
        'currency' => $order['currency'],
        'total' => $order['total'],
        'items' => array_map(fn ($item) => [
            'id' => $item['id'],
            'plan_id' => $item['plan_id'],
            'price_id' => $item['price_id'],
            'quantity' => $item['quantity'],
            'amount' => $item['amount'],
        ], $items[$order['id']]),
        'created_at' => $order['created_at'],
        'updated_at' => $order['updated_at'],
    ], $rows);
}

function orders_list(array $user): void
{
    json(page_of('orders', ['status', 'user_id'], 'orders_shape'));
}

function orders_show(int $id, array $user): void
{
    json(orders_shape([find('orders', $id)])[0]);
}

// [{price_id, quantity}, ...] checked line by line, so that the messages name "items.0.price_id": [lines, errors].
function order_lines(array $body): array
{
    if (!isset($body['items']) || !is_array($body['items']) || !array_is_list($body['items']) || !$body['items']) {
        return [[], ['items' => ['The items field is required.']]];
    }
    $errors = [];
    $lines = [];
    foreach ($body['items'] as $number => $line) {
        $line = is_array($line) ? $line : [];
        foreach (['price_id' => null, 'quantity' => 1] as $field => $default) {
            $value = array_key_exists($field, $line) ? $line[$field] : $default;
            $problem = check_number($value, '');
            if ($problem !== null) {
                $errors["items.$number.$field"] = ["The items.$number.$field $problem"];
            }
            $lines[$number][$field] = $value;
        }
    }
    return [$lines, $errors];
}

function priced(array $lines): array
{
    foreach ($lines as $number => $line) {
        $lines[$number]['price'] = row('SELECT * FROM prices WHERE id = ?', [$line['price_id']]);
        if ($lines[$number]['price'] === null) {
            invalid(["items.$number.price_id" => ['The selected price is invalid.']]);
        }
    }
    return $lines;
}

function orders_create(array $user, array $body): void
{
    [$lines, $errors] = order_lines($body);
    $clean = validate($body, ['user_id' => 'required|number'], $errors);
    refuse_unknown($clean, ['user_id' => 'users']);
    $lines = priced($lines);
    $total = 0;
    foreach ($lines as $line) {
        $total += $line['price']['amount'] * $line['quantity'];
    }
    $id = transaction(function () use ($clean, $lines, $total) {
        $id = insert('orders', [
            'user_id' => $clean['user_id'],
            'status' => 'pending',
            'currency' => 'EUR',
            'total' => money($total),
            'created_at' => now(),
            'updated_at' => now(),
        ]);
        foreach ($lines as $line) {
            insert('order_items', [
                'order_id' => $id,
                'plan_id' => $line['price']['plan_id'],
                'price_id' => $line['price_id'],
                'quantity' => $line['quantity'],
                'amount' => $line['price']['amount'],
            ]);
        }
        return $id;
    });
    header('Location: ' . address_of("/api/v1/admin/orders/$id"));
    json(orders_shape([find('orders', $id)])[0], 201);
}

function orders_update(int $id, array $user, array $body): void
{
    find('orders', $id);
    $clean = validate($body, ['status' => 'in:pending,active,cancelled']);
    update('orders', $id, $clean + ['updated_at' => now()]);
    json(orders_shape([find('orders', $id)])[0]);
}

function orders_delete(int $id, array $user): void
{
    find('orders', $id);
    transaction(function () use ($id) {
        execute('UPDATE services SET order_id = NULL WHERE order_id = ?', [$id]);
        execute('DELETE FROM order_items WHERE order_id = ?', [$id]);
        execute('DELETE FROM orders WHERE id = ?', [$id]);
    });
    no_content();
}
