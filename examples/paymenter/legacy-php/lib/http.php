<?php

class Finished extends Exception
{
}

function dispatch(array $routes): void
{
    $path = rawurldecode(strtok($_SERVER['REQUEST_URI'], '?'));
    $method = $_SERVER['REQUEST_METHOD'] === 'HEAD' ? 'GET' : $_SERVER['REQUEST_METHOD'];
    $allowed = [];
    try {
        foreach ($routes as [$verb, $pattern, $function, $who, $takes]) {
            $regex = '#^' . str_replace('\{id\}', '([0-9]+)', preg_quote($pattern, '#')) . '$#D';
            if (!preg_match($regex, $path, $found)) {
                continue;
            }
            if ($verb !== $method) {
                $allowed[] = $verb;
                continue;
            }
            run($function, $who, $takes, isset($found[1]) ? id_from($found[1]) : null);
            return;
        }
        if ($allowed) {
            header('Allow: ' . implode(', ', $allowed));
            fail(405, 'Method Not Allowed');
        }
        fail(404, 'Not Found');
    } catch (Finished $e) {
        // The answer is already written.
    }
}

function run(string $function, string $who, string $takes, ?int $id): void
{
    $arguments = $id === null ? [] : [$id];
    if ($takes === 'json') {
        $body = json_body();
    } elseif ($takes === 'form') {
        $body = $_POST;
    }
    if ($who !== '') {
        $user = require_user();
        if ($who === 'admin' && $user['role'] !== 'admin') {
            fail(403, 'This action is unauthorized.');
        }
        $arguments[] = $user;
    }
    if ($takes !== '') {
        $arguments[] = $body;
    }
    $function(...$arguments);
}

// An id longer than an integer exists nowhere.
function id_from(string $digits): int
{
    return strlen(ltrim($digits, '0')) > 18 ? 0 : (int) $digits;
}

function json_body(): array
{
    $type = strtolower($_SERVER['CONTENT_TYPE'] ?? '');
    $text = file_get_contents('php://input');
    // Decoded twice: an array alone could not tell [] from {}.
    if (!str_starts_with($type, 'application/json') || !is_object(json_decode($text))) {
        invalid(['body' => ['The body must be a JSON object.']]);
    }
    return json_decode($text, true);
}

// Half of the application was written before anybody thought of setting the content type.
function json($data, int $status = 200, bool $typed = true): void
{
    http_response_code($status);
    if ($typed) {
        header('Content-Type: application/json');
    }
    echo json_encode($data);
}

function fail(int $status, string $message, array $errors = []): void
{
    json($errors ? ['message' => $message, 'errors' => $errors] : ['message' => $message], $status);
    throw new Finished();
}

function invalid(array $errors): void
{
    fail(422, 'The given data was invalid.', $errors);
}

function no_content(): void
{
    http_response_code(204);
    header_remove('Content-Type');
}

// Where a created thing can be read; the address that the client used is kept.
function address_of(string $path): string
{
    $scheme = $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? 'http';
    return $scheme . '://' . $_SERVER['HTTP_HOST'] . $path;
}

function query(string $name): ?string
{
    $value = $_GET[$name] ?? null;
    return is_string($value) && $value !== '' ? $value : null;
}

function query_number(string $name, int $default, int $most): int
{
    $value = query($name);
    if ($value === null || !preg_match('/^[0-9]{1,6}$/D', $value)) {
        return $default;
    }
    return max(1, min($most, (int) $value));
}

// One page of a table: {"data": [...], "meta": {...}}; the filters are columns that may be asked for by equality.
function page_of(string $table, array $filters, callable $shape, string $order = 'id', array $fixed = []): array
{
    $where = [];
    $values = [];
    foreach ($fixed as $column => $value) {
        $where[] = "$column = ?";
        $values[] = $value;
    }
    foreach ($filters as $column) {
        if (query($column) !== null) {
            $where[] = "$column = ?";
            $values[] = query($column);
        }
    }
    $where = $where ? ' WHERE ' . implode(' AND ', $where) : '';
    $page = query_number('page', 1, 100000);
    $per_page = query_number('per_page', 15, 100);
    $total = (int) value("SELECT COUNT(*) FROM $table$where", $values);
    $offset = ($page - 1) * $per_page;
    $data = $shape(rows("SELECT * FROM $table$where ORDER BY $order LIMIT $per_page OFFSET $offset", $values));
    return [
        'data' => $data,
        'meta' => [
            'current_page' => $page,
            'per_page' => (string) $per_page, // straight from the query string, as ever
            'last_page' => max(1, (int) ceil($total / $per_page)),
            'total' => $total,
        ],
    ];
}

function health(): void
{
    try {
        value('SELECT 1');
        json(['status' => 'ok']);
    } catch (PDOException $e) {
        json(['status' => 'down'], 503);
    }
}
