<?php

function service_shape(array $service): array
{
    return [
        'id' => $service['id'],
        'user_id' => $service['user_id'],
        'order_id' => $service['order_id'],
        'plan_id' => $service['plan_id'],
        'label' => $service['label'],
        'status' => $service['status'],
        'auto_renew' => $service['auto_renew'],
        'properties' => json_decode($service['properties'], true),
        'renews_on' => $service['renews_on'],
        'created_at' => $service['created_at'],
        'updated_at' => $service['updated_at'],
    ];
}

function services_list(array $user): void
{
    json(page_of('services', ['status', 'user_id'], fn ($rows) => array_map('service_shape', $rows)));
}

function services_show(int $id, array $user): void
{
    json(service_shape(find('services', $id)));
}

function refuse_unknown(array $clean, array $tables): void
{
    $errors = [];
    foreach ($tables as $field => $table) {
        if (isset($clean[$field]) && row("SELECT id FROM $table WHERE id = ?", [$clean[$field]]) === null) {
            $errors[$field] = ["The selected $field is invalid."];
        }
    }
    if ($errors) {
        invalid($errors);
    }
}

function services_create(array $user, array $body): void
{
    $clean = validate($body, [
        'user_id' => 'required|number',
        'plan_id' => 'required|number',
        'order_id' => 'nullable|number',
        'label' => 'required|string|max:100',
        'status' => 'in:active,suspended,cancelled',
        'auto_renew' => 'flag',
        'properties' => 'map',
        'renews_on' => 'nullable|date',
    ]);
    refuse_unknown($clean, ['user_id' => 'users', 'plan_id' => 'plans', 'order_id' => 'orders']);
    $now = ['created_at' => now(), 'updated_at' => now()];
    $id = insert('services', $clean + ['status' => 'active', 'auto_renew' => 1, 'properties' => '{}'] + $now);
    header('Location: ' . address_of("/api/v1/admin/services/$id"));
    json(service_shape(find('services', $id)), 201);
}

function services_update(int $id, array $user, array $body): void
{
    find('services', $id);
    $clean = validate($body, [
        'label' => 'string|max:100',
        'status' => 'in:active,suspended,cancelled',
        'auto_renew' => 'flag',
        'properties' => 'map',
        'renews_on' => 'nullable|date',
    ]);
    update('services', $id, $clean + ['updated_at' => now()]);
    json(service_shape(find('services', $id)));
}

function services_delete(int $id, array $user): void
{
    find('services', $id);
    execute('DELETE FROM services WHERE id = ?', [$id]);
    no_content();
}
