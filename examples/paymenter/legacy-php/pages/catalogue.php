<?php

function plan_shape(array $plan, array $prices): array
{
    return [
        'id' => $plan['id'],
        'slug' => $plan['slug'],
        'name' => $plan['name'],
        'description' => (string) $plan['description'], // no description leaves as ""
        // Blank lines are dropped and the holes stay: {"0": ..., "2": ...}
        'features' => array_filter(json_decode($plan['features'], true)),
        'is_active' => $plan['is_active'],
        'prices' => array_map(fn ($price) => [
            'id' => $price['id'],
            'period' => $price['period'],
            'amount' => $price['amount'],
            'setup_fee' => $price['setup_fee'],
            'currency' => $price['currency'],
        ], $prices),
        'created_at' => $plan['created_at'],
    ];
}

function plans_list(): void
{
    $shape = function ($rows) {
        $prices = children('prices', 'plan_id', array_column($rows, 'id'));
        return array_map(fn ($plan) => plan_shape($plan, $prices[$plan['id']]), $rows);
    };
    echo "\n"; // an include file that ends in a blank line, years ago
    json(page_of('plans', ['is_active'], $shape), 200, false);
}

function plans_show(int $id): void
{
    $plan = find('plans', $id);
    json(plan_shape($plan, children('prices', 'plan_id', [$plan['id']])[$plan['id']]));
}
