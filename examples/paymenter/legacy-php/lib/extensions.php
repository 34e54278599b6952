<?php

// What extensions.ini names and this PHP has not, as a sentence; '' if nothing is missing.
function lacking_extensions(): string
{
    $named = parse_ini_file(__DIR__ . '/../extensions.ini', true);
    $needed = $named['always'] + ($named[strtok(getenv('DATABASE_URL') ?: '', ':')] ?? []);
    $lacking = array_filter($needed, fn ($name) => !extension_loaded($name), ARRAY_FILTER_USE_KEY);
    if (!$lacking) {
        return '';
    }
    return 'PHP lacks ' . implode(', ', array_keys($lacking)) . ': apt-get install ' . implode(' ', $lacking);
}
