<?php

function user_shape(array $user): array
{
    return [
        'id' => $user['id'],
        'first_name' => $user['first_name'],
        'last_name' => $user['last_name'],
        'email' => $user['email'],
        'role' => $user['role'],
        'is_active' => $user['is_active'],
        'email_verified_at' => $user['email_verified_at'],
        'settings' => json_decode($user['settings'], true), // an empty map leaves as []
        'created_at' => $user['created_at'],
        'updated_at' => $user['updated_at'],
    ];
}

function refuse_taken_email(string $email, int $except = 0): void
{
    if (value('SELECT COUNT(*) FROM users WHERE email = ? AND id <> ?', [$email, $except]) > 0) {
        invalid(['email' => ['The email has already been taken.']]);
    }
}

function create_user(array $columns): int
{
    $columns['password'] = password_hash($columns['password'], PASSWORD_BCRYPT, BCRYPT);
    $columns['created_at'] = $columns['updated_at'] = now();
    return insert('users', $columns);
}

function users_list(array $user): void
{
    json(page_of('users', ['role', 'is_active'], fn ($rows) => array_map('user_shape', $rows)));
}

function users_show(int $id, array $user): void
{
    json(user_shape(find('users', $id)));
}

function users_create(array $user, array $body): void
{
    $clean = validate($body, [
        'first_name' => 'required|string|max:100',
        'last_name' => 'required|string|max:100',
        'email' => 'required|string|max:190|email',
        'password' => 'required|string|min:8|max:72',
        'role' => 'in:admin,client',
        'is_active' => 'flag',
        'settings' => 'map',
    ]);
    refuse_taken_email($clean['email']);
    $id = create_user($clean + ['role' => 'client', 'is_active' => 1, 'settings' => '{}']);
    header('Location: ' . address_of("/api/v1/admin/users/$id"));
    json(user_shape(find('users', $id)), 201);
}

function users_update(int $id, array $user, array $body): void
{
    find('users', $id);
    $clean = validate($body, [
        'first_name' => 'string|max:100',
        'last_name' => 'string|max:100',
        'email' => 'string|max:190|email',
        'role' => 'in:admin,client',
        'is_active' => 'flag',
        'settings' => 'map',
    ]);
    if (isset($clean['email'])) {
        refuse_taken_email($clean['email'], $id);
    }
    update('users', $id, $clean + ['updated_at' => now()]);
    json(user_shape(find('users', $id)));
}

function users_delete(int $id, array $user): void
{
    find('users', $id);
    foreach (['orders', 'services', 'subscriptions', 'invoices', 'tickets', 'ticket_messages', 'credits'] as $table) {
        if (value("SELECT COUNT(*) FROM $table WHERE user_id = ?", [$id]) > 0) {
            fail(409, 'This user still has ' . str_replace('_', ' ', $table) . '.');
        }
    }
    execute('DELETE FROM users WHERE id = ?', [$id]);
    no_content();
}
