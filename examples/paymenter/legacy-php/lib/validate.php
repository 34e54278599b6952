<?php

// validate($body, ['name' => 'required|string|max:100']): the members that passed, or a 422 with every message.
// A rule without `required` may be left out of the body, but not be null unless it is `nullable`.
// `$errors` are those found elsewhere in the same body.
function validate(array $body, array $rules, array $errors = []): array
{
    $clean = [];
    foreach ($rules as $field => $rule) {
        $rule = explode('|', $rule);
        if (!array_key_exists($field, $body)) {
            if (in_array('required', $rule, true)) {
                $errors[$field] = ["The $field field is required."];
            }
            continue;
        }
        if ($body[$field] === null && in_array('nullable', $rule, true)) {
            $clean[$field] = null;
            continue;
        }
        $value = $body[$field];
        foreach ($rule as $check) {
            [$check, $detail] = explode(':', $check . ':');
            if ($check === 'required' || $check === 'nullable') {
                continue;
            }
            $problem = ('check_' . $check)($value, $detail);
            if ($problem !== null) {
                $errors[$field] = ["The $field $problem"];
                break;
            }
        }
        $clean[$field] = $value;
    }
    if ($errors) {
        invalid($errors);
    }
    return $clean;
}

// Each check says what is wrong, or nothing; some tidy the value on the way.

function check_string(&$value, string $detail): ?string
{
    return is_string($value) && $value !== '' ? null : 'must be a text.';
}

function check_max(&$value, string $detail): ?string
{
    return mb_strlen($value) <= (int) $detail ? null : "may not be longer than $detail characters.";
}

function check_min(&$value, string $detail): ?string
{
    return mb_strlen($value) >= (int) $detail ? null : "must have at least $detail characters.";
}

function check_email(&$value, string $detail): ?string
{
    return preg_match('/^[^@ \t\r\n]+@[^@ \t\r\n]+\.[^@ \t\r\n]+$/D', $value) ? null : 'must be an e-mail address.';
}

function check_in(&$value, string $detail): ?string
{
    return in_array($value, explode(',', $detail), true) ? null : 'is not one of the choices.';
}

function check_number(&$value, string $detail): ?string
{
    if (is_float($value) && floor($value) === $value && abs($value) < 1e9) {
        $value = (int) $value;
    }
    if (is_string($value) && preg_match('/^[0-9]{1,9}$/D', $value)) {
        $value = (int) $value;
    }
    return is_int($value) && $value >= 1 && $value <= 999999999 ? null : 'must be a number.';
}

function check_money(&$value, string $detail): ?string
{
    $text = is_int($value) || is_float($value) ? json_encode($value) : $value;
    if (!is_string($text) || !preg_match('/^[0-9]{1,7}(\.[0-9]{1,2})?$/D', $text)) {
        return 'must be an amount with two decimals.';
    }
    $value = money((float) $text);
    return null;
}

function check_flag(&$value, string $detail): ?string
{
    if (!in_array($value, [true, false, 0, 1, '0', '1'], true)) {
        return 'must be true or false.';
    }
    $value = (int) $value;
    return null;
}

function check_map(&$value, string $detail): ?string
{
    if (!is_array($value) || ($value !== [] && array_is_list($value))) {
        return 'must be a map.';
    }
    $value = json_encode((object) $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    return null;
}

function check_date(&$value, string $detail): ?string
{
    if (!is_string($value) || !preg_match('/^([0-9]{4})-([0-9]{2})-([0-9]{2})$/D', $value, $found)) {
        return 'must be a date.';
    }
    return checkdate((int) $found[2], (int) $found[3], (int) $found[1]) ? null : 'must be a date.';
}
