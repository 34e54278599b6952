<?php

function e(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES);
}

function html_page(string $title, string $body, string $head = ''): string
{
    header('Content-Type: text/html; charset=UTF-8');
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  $head"
        . '<title>' . e($title) . " - Paymenter</title>\n</head>\n<body>\n<h1>" . e($title) . "</h1>\n$body\n</body>\n</html>\n";
}

function csrf_input(): string
{
    return '<input type="hidden" name="_token" value="' . csrf_token() . '">';
}

function csrf_meta(): string
{
    return '<meta name="csrf-token" content="' . csrf_token() . "\">\n  ";
}

function redirect(string $path): void
{
    http_response_code(302);
    header('Location: ' . address_of($path));
}

function home_page(): void
{
    redirect(current_user() === null ? '/login' : '/profile/edit');
}

function login_page(string $problem = ''): void
{
    $token = csrf_input();
    $meta = csrf_meta();
    $problem = $problem === '' ? '' : '<p class="error">' . e($problem) . '</p>';
    echo html_page('Log in', <<<HTML
        $problem
        <form method="post" action="/login">
          $token
          <label>E-mail <input type="email" name="email"></label>
          <label>Password <input type="password" name="password"></label>
          <button type="submit">Log in</button>
        </form>
        HTML, $meta);
}

function login_submit(array $form): void
{
    require_csrf($form);
    $user = check_password(text_of($form, 'email'), text_of($form, 'password'));
    if ($user === null || !$user['is_active']) {
        http_response_code(422);
        login_page('These credentials do not match our records.');
        return;
    }
    session_regenerate_id(true);
    $_SESSION['user_id'] = $user['id'];
    // The token beside the session is what the new application reads; uid tells the proxy who this is.
    setcookie('paymenter_token', token_of($user), ['path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
    setcookie('uid', $user['id'], ['path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
    redirect('/profile/edit');
}

function logout_submit(array $form): void
{
    require_csrf($form);
    $_SESSION = [];
    session_destroy();
    foreach (['paymenter_token', 'uid', 'PHPSESSID'] as $cookie) {
        setcookie($cookie, '', ['expires' => 1, 'path' => '/']);
    }
    redirect('/login');
}

function text_of(array $form, string $name): string
{
    return isset($form[$name]) && is_string($form[$name]) ? $form[$name] : '';
}

function profile_page(string $problem = ''): void
{
    $user = current_user();
    if ($user === null || !$user['is_active']) {
        redirect('/login');
        return;
    }
    $token = csrf_input();
    $meta = csrf_meta();
    $first = e($user['first_name']);
    $last = e($user['last_name']);
    $email = e($user['email']);
    $problem = $problem === '' ? '' : '<p class="error">' . e($problem) . '</p>';
    $saved = query('saved') === '1' ? '<p class="saved">Your changes were saved.</p>' : '';
    echo html_page('Edit profile', <<<HTML
        $problem
        $saved
        <p>Signed in as $email</p>
        <form method="post" action="/profile/edit">
          $token
          <label>First name <input type="text" name="first_name" value="$first"></label>
          <label>Last name <input type="text" name="last_name" value="$last"></label>
          <button type="submit">Save</button>
        </form>
        HTML, $meta);
}

function profile_submit(array $form): void
{
    $user = current_user();
    if ($user === null || !$user['is_active']) {
        redirect('/login');
        return;
    }
    require_csrf($form);
    $first = text_of($form, 'first_name');
    $last = text_of($form, 'last_name');
    if ($first === '' || $last === '' || mb_strlen($first) > 100 || mb_strlen($last) > 100) {
        http_response_code(422);
        profile_page('Both names are required, with at most 100 characters.');
        return;
    }
    update('users', (int) $user['id'], ['first_name' => $first, 'last_name' => $last, 'updated_at' => now()]);
    redirect('/profile/edit?saved=1');
}

function oauth_token(array $form): void
{
    $clean = validate($form, ['username' => 'required|string|max:190', 'password' => 'required|string|max:72']);
    $user = check_password($clean['username'], $clean['password']);
    if ($user === null) {
        fail(401, 'The user credentials were incorrect.');
    }
    if (!$user['is_active']) {
        fail(403, 'This account is disabled.');
    }
    json(['token_type' => 'Bearer', 'expires_in' => TOKEN_LIFE, 'access_token' => token_of($user)]);
}

function register(array $form): void
{
    $clean = validate($form, [
        'first_name' => 'required|string|max:100',
        'last_name' => 'required|string|max:100',
        'email' => 'required|string|max:190|email',
        'password' => 'required|string|min:8|max:72',
    ]);
    refuse_taken_email($clean['email']);
    $id = create_user($clean + ['role' => 'client', 'is_active' => 1, 'settings' => '{}']);
    json(user_shape(find('users', $id)), 201);
}
