<?php

const TOKEN_LIFE = 3600;
const BCRYPT = ['cost' => 4]; // a demo's cost; a real system takes 12

function jwt_key(): string
{
    $key = getenv('PAYMENTER_JWT_KEY') ?: '';
    if ($key === '') {
        throw new RuntimeException('PAYMENTER_JWT_KEY is not set');
    }
    return $key;
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

function jwt_sign(array $claims): string
{
    $signed = base64url('{"alg":"HS256","typ":"JWT"}') . '.' . base64url(json_encode($claims));
    return $signed . '.' . base64url(hash_hmac('sha256', $signed, jwt_key(), true));
}

// The claims of a token that we signed and that is still alive, or null.
function jwt_read(string $token): ?array
{
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        return null;
    }
    [$head, $claims, $signature] = $parts;
    $right = base64url(hash_hmac('sha256', "$head.$claims", jwt_key(), true));
    if (!hash_equals($right, $signature)) {
        return null;
    }
    $head = json_decode(base64_decode(strtr($head, '-_', '+/')), true);
    $claims = json_decode(base64_decode(strtr($claims, '-_', '+/')), true);
    if (!is_array($head) || ($head['alg'] ?? '') !== 'HS256' || !is_array($claims)) {
        return null;
    }
    if (!is_int($claims['exp'] ?? null) || $claims['exp'] <= time()) {
        return null;
    }
    return $claims;
}

function token_of(array $user): string
{
    $now = time();
    $claims = ['sub' => $user['id'], 'role' => $user['role'], 'iat' => $now, 'exp' => $now + TOKEN_LIFE];
    return jwt_sign($claims);
}

// Who is asking: a bearer token, the token cookie that the login page sets, or the native session.
function user_id(): ?string
{
    $header = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
    if (stripos($header, 'Bearer ') === 0) {
        $token = substr($header, 7);
    } else {
        $token = $_COOKIE['paymenter_token'] ?? '';
    }
    if (is_string($token) && $token !== '') {
        $subject = jwt_read($token)['sub'] ?? null;
        return is_string($subject) && preg_match('/^[0-9]{1,9}$/D', $subject) ? $subject : null;
    }
    if (isset($_COOKIE['PHPSESSID'])) {
        start_session();
        return isset($_SESSION['user_id']) ? (string) $_SESSION['user_id'] : null;
    }
    return null;
}

function current_user(): ?array
{
    $id = user_id();
    return $id === null ? null : row('SELECT * FROM users WHERE id = ?', [(int) $id]);
}

function require_user(): array
{
    $user = current_user();
    if ($user === null) {
        header('WWW-Authenticate: Bearer');
        fail(401, 'Unauthenticated.');
    }
    if (!$user['is_active']) {
        fail(403, 'This account is disabled.');
    }
    return $user;
}

// null: no such account or another password
function check_password(string $email, string $password): ?array
{
    $user = row('SELECT * FROM users WHERE email = ?', [$email]);
    return $user !== null && password_verify($password, $user['password']) ? $user : null;
}

function start_session(): void
{
    if (session_status() !== PHP_SESSION_ACTIVE) {
        session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'use_strict_mode' => true]);
    }
}

function csrf_token(): string
{
    start_session();
    $_SESSION['csrf'] ??= bin2hex(random_bytes(20));
    return $_SESSION['csrf'];
}

function require_csrf(array $form): void
{
    start_session();
    $sent = $form['_token'] ?? '';
    if (!is_string($sent) || !hash_equals($_SESSION['csrf'] ?? random_bytes(8), $sent)) {
        http_response_code(419);
        echo html_page('Page Expired', '<p>This page has expired.</p>');
        throw new Finished();
    }
}
