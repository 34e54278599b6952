<?php
// Front controller of the old billing application. Every request lands here.

require __DIR__ . '/lib/extensions.php';
require __DIR__ . '/lib/database.php';
require __DIR__ . '/lib/http.php';
require __DIR__ . '/lib/auth.php';
require __DIR__ . '/lib/validate.php';
require __DIR__ . '/lib/money.php';
require __DIR__ . '/pages/account.php';
require __DIR__ . '/pages/login.php';
require __DIR__ . '/pages/catalogue.php';
require __DIR__ . '/pages/users.php';
require __DIR__ . '/pages/services.php';
require __DIR__ . '/pages/orders.php';
require __DIR__ . '/pages/invoices.php';
require __DIR__ . '/pages/tickets.php';

// method, path, function, who may: '' everybody, 'user', 'admin'; and what the body is: '' none, 'form', 'json'
$routes = [
    ['GET', '/health', 'health', '', ''],
    ['GET', '/', 'home_page', '', ''],
    ['GET', '/login', 'login_page', '', ''],
    ['POST', '/login', 'login_submit', '', 'form'],
    ['POST', '/logout', 'logout_submit', '', 'form'],
    ['GET', '/profile/edit', 'profile_page', '', ''],
    ['POST', '/profile/edit', 'profile_submit', '', 'form'],
    ['POST', '/oauth/token', 'oauth_token', '', 'form'],
    ['POST', '/register', 'register', '', 'form'],
    ['GET', '/api/me', 'me_show', 'user', ''],
    ['PUT', '/api/me', 'me_update', 'user', 'json'],
    ['GET', '/api/credits', 'credits_show', 'user', ''],
    ['GET', '/api/billing/history', 'billing_history', 'user', ''],
    ['GET', '/api/plans', 'plans_list', '', ''],
    ['GET', '/api/plans/{id}', 'plans_show', '', ''],
    ['GET', '/api/subscriptions', 'subscriptions_list', 'user', ''],
    ['POST', '/api/subscriptions', 'subscriptions_create', 'user', 'json'],
    ['GET', '/api/subscriptions/{id}', 'subscriptions_show', 'user', ''],
    ['DELETE', '/api/subscriptions/{id}', 'subscriptions_cancel', 'user', ''],
    ['GET', '/export/invoices.csv', 'invoices_export', 'admin', ''],
];
foreach (['users', 'services', 'orders', 'invoices', 'tickets'] as $thing) {
    $routes[] = ['GET', "/api/v1/admin/$thing", "{$thing}_list", 'admin', ''];
    $routes[] = ['POST', "/api/v1/admin/$thing", "{$thing}_create", 'admin', 'json'];
    $routes[] = ['GET', "/api/v1/admin/$thing/{id}", "{$thing}_show", 'admin', ''];
    $routes[] = ['PUT', "/api/v1/admin/$thing/{id}", "{$thing}_update", 'admin', 'json'];
    $routes[] = ['DELETE', "/api/v1/admin/$thing/{id}", "{$thing}_delete", 'admin', ''];
}
$routes[] = ['POST', '/api/v1/admin/tickets/{id}/messages', 'tickets_reply', 'admin', 'json'];

if ($lacking = lacking_extensions()) {
    // Nothing is half answered: a call of what is missing would be a 500 here and there.
    error_log($lacking);
    json(['status' => 'down', 'message' => $lacking], 503);
    return;
}
try {
    dispatch($routes);
} catch (Throwable $e) {
    error_log((string) $e);
    http_response_code(500);
    header('Content-Type: application/json');
    echo json_encode(['message' => 'Server Error']);
}
