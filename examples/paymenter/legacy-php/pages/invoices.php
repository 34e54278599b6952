<?php

function invoices_shape(array $rows): array
{
    $items = children('invoice_items', 'invoice_id', array_column($rows, 'id'));
    return array_map(function ($invoice) use ($items) {
        [$lines, $subtotal, $tax, $total] = invoice_sums($invoice, $items[$invoice['id']]);
        return [
            'id' => $invoice['id'],
            'reference' => $invoice['reference'],
            'url' => address_of('/api/v1/admin/invoices/' . $invoice['id']),
            'user_id' => $invoice['user_id'],
            'status' => $invoice['status'],
            'currency' => $invoice['currency'],
            'tax_rate' => $invoice['tax_rate'],
            'due_on' => $invoice['due_on'],
            'issued_at' => $invoice['issued_at'],
            'paid_at' => $invoice['paid_at'],
            'items' => $lines,
            'subtotal' => money($subtotal),
            'tax' => money($tax),
            'total' => money($total),
        ];
    }, $rows);
}

function invoices_list(array $user): void
{
    json(page_of('invoices', ['status', 'user_id'], 'invoices_shape'));
}

function invoices_show(int $id, array $user): void
{
    json(invoices_shape([find('invoices', $id)])[0]);
}

function invoice_lines(array $body): array
{
    if (!isset($body['items']) || !is_array($body['items']) || !array_is_list($body['items']) || !$body['items']) {
        return [[], ['items' => ['The items field is required.']]];
    }
    $errors = [];
    $lines = [];
    foreach ($body['items'] as $number => $line) {
        $line = is_array($line) ? $line : [];
        $checks = ['description' => ['check_string', 'check_max'], 'quantity' => ['check_number'], 'price' => ['check_money']];
        foreach ($checks as $field => $functions) {
            $value = array_key_exists($field, $line) ? $line[$field] : ($field === 'quantity' ? 1 : null);
            foreach ($functions as $function) {
                $problem = $function($value, '190');
                if ($problem !== null) {
                    $errors["items.$number.$field"] = ["The items.$number.$field $problem"];
                    break;
                }
            }
            $lines[$number][$field] = $value;
        }
    }
    return [$lines, $errors];
}

function invoices_create(array $user, array $body): void
{
    [$lines, $errors] = invoice_lines($body);
    $rules = ['user_id' => 'required|number', 'due_on' => 'required|date', 'tax_rate' => 'required|money'];
    $clean = validate($body, $rules, $errors);
    refuse_unknown($clean, ['user_id' => 'users']);
    $id = transaction(function () use ($clean, $lines) {
        $id = insert('invoices', $clean + [
            'reference' => '',
            'status' => 'unpaid',
            'currency' => 'EUR',
            'issued_at' => now(),
            'paid_at' => null,
        ]);
        update('invoices', $id, ['reference' => sprintf('%06d', $id)]);
        foreach ($lines as $line) {
            insert('invoice_items', ['invoice_id' => $id] + $line);
        }
        return $id;
    });
    header('Location: ' . address_of("/api/v1/admin/invoices/$id"));
    json(invoices_shape([find('invoices', $id)])[0], 201);
}

function invoices_update(int $id, array $user, array $body): void
{
    $invoice = find('invoices', $id);
    $clean = validate($body, ['status' => 'in:unpaid,paid,cancelled', 'due_on' => 'date']);
    if (($clean['status'] ?? '') === 'paid' && $invoice['paid_at'] === null) {
        $clean['paid_at'] = now();
    }
    update('invoices', $id, $clean);
    json(invoices_shape([find('invoices', $id)])[0]);
}

function invoices_delete(int $id, array $user): void
{
    find('invoices', $id);
    transaction(function () use ($id) {
        execute('DELETE FROM invoice_items WHERE invoice_id = ?', [$id]);
        execute('DELETE FROM invoices WHERE id = ?', [$id]);
    });
    no_content();
}

function invoices_export(array $user): void
{
    header('Content-Type: text/csv; charset=UTF-8');
    header('Content-Disposition: attachment; filename="invoices.csv"');
    $out = fopen('php://output', 'w');
    fputcsv($out, ['reference', 'customer', 'status', 'due on', 'issued at', 'total']);
    $customers = array_column(rows('SELECT * FROM users'), null, 'id');
    foreach (invoices_shape(rows('SELECT * FROM invoices ORDER BY id')) as $invoice) {
        $customer = $customers[$invoice['user_id']];
        fputcsv($out, [
            $invoice['reference'],
            $customer['first_name'] . ' ' . $customer['last_name'],
            $invoice['status'],
            $invoice['due_on'],
            $invoice['issued_at'],
            $invoice['total'],
        ]);
    }
}
