<?php

// Money is a float here, rounded where somebody noticed, and printed with two digits.

function money(float $amount): string
{
    return number_format($amount, 2, '.', '');
}

function tax_on(float $amount, float $rate): float
{
    return round($amount * $rate / 100, 2);
}

// The lines of an invoice with their sums: [lines, subtotal, tax, total]
function invoice_sums(array $invoice, array $items): array
{
    $lines = [];
    $subtotal = 0.0;
    $tax = 0.0;
    foreach ($items as $item) {
        $amount = $item['price'] * $item['quantity'];
        $line_tax = tax_on($amount, (float) $invoice['tax_rate']);
        $subtotal += $amount;
        $tax += $line_tax;
        $lines[] = [
            'id' => $item['id'],
            'description' => $item['description'],
            'quantity' => $item['quantity'],
            'price' => money((float) $item['price']),
            'amount' => money($amount),
            'tax' => money($line_tax),
        ];
    }
    return [$lines, $subtotal, $tax, $subtotal + $tax];
}
