<?php

function ticket_shape(array $ticket): array
{
    return [
        'id' => $ticket['id'],
        'user_id' => $ticket['user_id'],
        'subject' => $ticket['subject'],
        'status' => $ticket['status'],
        'priority' => $ticket['priority'],
        'created_at' => $ticket['created_at'],
        'updated_at' => $ticket['updated_at'],
    ];
}

function message_shape(array $message): array
{
    return [
        'id' => $message['id'],
        'user_id' => $message['user_id'],
        'message' => $message['message'],
        'created_at' => $message['created_at'],
    ];
}

function ticket_with_messages(int $id): array
{
    $messages = rows('SELECT * FROM ticket_messages WHERE ticket_id = ? ORDER BY id', [$id]);
    return ticket_shape(find('tickets', $id)) + ['messages' => array_map('message_shape', $messages)];
}

function tickets_list(array $user): void
{
    json(page_of('tickets', ['status', 'priority', 'user_id'], fn ($rows) => array_map('ticket_shape', $rows)));
}

function tickets_show(int $id, array $user): void
{
    json(ticket_with_messages($id));
}

function tickets_create(array $user, array $body): void
{
    $clean = validate($body, [
        'user_id' => 'required|number',
        'subject' => 'required|string|max:190',
        'priority' => 'in:low,normal,high',
        'message' => 'required|string|max:5000',
    ]);
    refuse_unknown($clean, ['user_id' => 'users']);
    $id = transaction(function () use ($clean) {
        $id = insert('tickets', [
            'user_id' => $clean['user_id'],
            'subject' => $clean['subject'],
            'status' => 'open',
            'priority' => $clean['priority'] ?? 'normal',
            'created_at' => now(),
            'updated_at' => now(),
        ]);
        add_message($id, (string) $clean['user_id'], $clean['message']);
        return $id;
    });
    header('Location: ' . address_of("/api/v1/admin/tickets/$id"));
    json(ticket_with_messages($id), 201);
}

function add_message(int $ticket, string $user, string $message): int
{
    return insert('ticket_messages', [
        'ticket_id' => $ticket,
        'user_id' => $user,
        'message' => $message,
        'created_at' => now(),
    ]);
}

function tickets_update(int $id, array $user, array $body): void
{
    find('tickets', $id);
    $clean = validate($body, [
        'subject' => 'string|max:190',
        'status' => 'in:open,answered,closed',
        'priority' => 'in:low,normal,high',
    ]);
    update('tickets', $id, $clean + ['updated_at' => now()]);
    json(ticket_with_messages($id));
}

function tickets_delete(int $id, array $user): void
{
    find('tickets', $id);
    transaction(function () use ($id) {
        execute('DELETE FROM ticket_messages WHERE ticket_id = ?', [$id]);
        execute('DELETE FROM tickets WHERE id = ?', [$id]);
    });
    no_content();
}

function tickets_reply(int $id, array $user, array $body): void
{
    find('tickets', $id);
    $clean = validate($body, ['message' => 'required|string|max:5000']);
    $message = transaction(function () use ($id, $user, $clean) {
        update('tickets', $id, ['status' => 'answered', 'updated_at' => now()]);
        return add_message($id, $user['id'], $clean['message']);
    });
    json(message_shape(find('ticket_messages', $message)), 201);
}
