<?php

function database(): PDO
{
    static $pdo = null;
    if ($pdo !== null) {
        return $pdo;
    }
    // Numbers come back as text, as every driver did when this was written.
    $options = [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        PDO::ATTR_STRINGIFY_FETCHES => true,
    ];
    $url = getenv('DATABASE_URL') ?: '';
    if (str_starts_with($url, 'sqlite:///')) {
        $pdo = new PDO('sqlite:' . substr($url, strlen('sqlite:///')), null, null, $options);
        $pdo->exec('PRAGMA busy_timeout = 5000');
        $pdo->exec('PRAGMA synchronous = NORMAL');
        $pdo->exec('PRAGMA foreign_keys = ON');
        return $pdo;
    }
    if (str_starts_with($url, 'mysql://')) {
        $parts = parse_url($url);
        $dsn = sprintf(
            'mysql:host=%s;port=%d;dbname=%s;charset=utf8mb4',
            $parts['host'],
            $parts['port'] ?? 3306,
            ltrim($parts['path'], '/')
        );
        $pdo = new PDO($dsn, rawurldecode($parts['user'] ?? ''), rawurldecode($parts['pass'] ?? ''), $options);
        return $pdo;
    }
    throw new RuntimeException('DATABASE_URL must begin with sqlite:/// or mysql://');
}

function execute(string $sql, array $values = []): PDOStatement
{
    $statement = database()->prepare($sql);
    $statement->execute($values);
    return $statement;
}

function rows(string $sql, array $values = []): array
{
    return execute($sql, $values)->fetchAll();
}

function row(string $sql, array $values = []): ?array
{
    return rows($sql, $values)[0] ?? null;
}

function value(string $sql, array $values = [])
{
    return execute($sql, $values)->fetchColumn();
}

function find(string $table, int $id): array
{
    $found = row("SELECT * FROM $table WHERE id = ?", [$id]);
    if ($found === null) {
        fail(404, 'Not Found');
    }
    return $found;
}

function insert(string $table, array $columns): int
{
    $names = implode(', ', array_keys($columns));
    $places = implode(', ', array_fill(0, count($columns), '?'));
    execute("INSERT INTO $table ($names) VALUES ($places)", array_values($columns));
    return (int) database()->lastInsertId();
}

function update(string $table, int $id, array $columns): void
{
    if (!$columns) {
        return;
    }
    $sets = implode(', ', array_map(fn ($name) => "$name = ?", array_keys($columns)));
    execute("UPDATE $table SET $sets WHERE id = ?", [...array_values($columns), $id]);
}

// SQLite takes the write lock at once: a read that turns into a write later cannot wait for it any more.
function transaction(callable $work)
{
    $sqlite = database()->getAttribute(PDO::ATTR_DRIVER_NAME) === 'sqlite';
    database()->exec($sqlite ? 'BEGIN IMMEDIATE' : 'START TRANSACTION');
    try {
        $result = $work();
        database()->exec('COMMIT');
        return $result;
    } catch (Throwable $e) {
        database()->exec('ROLLBACK');
        throw $e;
    }
}

// Rows of a child table, grouped by the column that points to the parent.
function children(string $table, string $column, array $parents): array
{
    $grouped = array_fill_keys($parents, []);
    if (!$parents) {
        return $grouped;
    }
    $places = implode(', ', array_fill(0, count($parents), '?'));
    foreach (rows("SELECT * FROM $table WHERE $column IN ($places) ORDER BY id", $parents) as $child) {
        $grouped[$child[$column]][] = $child;
    }
    return $grouped;
}

function now(): string
{
    return gmdate('Y-m-d H:i:s');
}
