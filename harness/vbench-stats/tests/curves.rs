//! Polynomials and trends, against statsmodels 0.15.0 (`OLS(…).fit(cov_type="HC3", use_t=True)`), pymannkendall 1.4.3
//! (`original_test`) and cases that can be worked out by hand.

use vbench_stats::StatsError;
use vbench_stats::polynomial::fit;
use vbench_stats::trend::mann_kendall;

const X: [f64; 10] = [1.0, 1.0, 2.0, 2.0, 5.0, 5.0, 10.0, 10.0, 20.0, 20.0];
const Y: [f64; 10] = [52.1, 50.3, 60.2, 63.9, 92.4, 88.7, 141.0, 150.2, 239.5, 262.3];
const SERIES: [f64; 20] =
    [1.02, 0.97, 1.0, 1.0, 1.03, 1.01, 1.05, 1.04, 1.0, 1.06, 1.08, 1.05, 1.09, 1.07, 1.1, 1.12, 1.08, 1.11, 1.15, 1.1];

fn close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{what}: {a} against {b}");
}

#[test]
fn coefficients_and_intervals_equal_statsmodels() {
    // (value, standard error, lower end, upper end) of each term.
    let line = [
        (40.03407960199008, 2.8645984268662987, 33.42830378393705, 46.63985542004311),
        (10.5297263681592, 0.7161628515551194, 8.878251870993488, 12.18120086532491),
    ];
    let curve = [
        (40.77969569779664, 2.5635350474050997, 34.71789855489448, 46.8414928406988),
        (10.242145105681463, 1.3704249048978867, 7.001605140573185, 13.48268507078974),
        (0.013584919802119177, 0.09265135468433723, -0.20550072042738932, 0.23267056003162767),
    ];
    for (wanted, r2) in [(&line[..], 0.9938758121809002), (&curve[..], 0.993919517159981)] {
        let found = fit(&X, &Y, wanted.len() - 1, 0.95).expect("fits");
        assert_eq!((found.terms.len(), found.n), (wanted.len(), 10));
        close(found.r2.expect("the values differ"), r2, "r2");
        for (term, (value, error, lo, hi)) in found.terms.iter().zip(wanted) {
            close(term.value, *value, "value");
            close(term.standard_error, *error, "standard error");
            close(term.lo, *lo, "lower end");
            close(term.hi, *hi, "upper end");
        }
    }
}

#[test]
fn an_exact_polynomial_is_found_at_any_scale() {
    for scale in [1e-6, 1.0, 1e6] {
        let x: Vec<f64> = (0..12).map(|i| scale * f64::from(i % 6)).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 + 2.0 * x / scale - 0.5 * (x / scale) * (x / scale)).collect();
        let found = fit(&x, &y, 2, 0.95).expect("fits");
        let wanted = [3.0, 2.0 / scale, -0.5 / (scale * scale)];
        for (term, wanted) in found.terms.iter().zip(wanted) {
            assert!((term.value / wanted - 1.0).abs() < 1e-9, "{term:?}");
        }
        assert!((found.at(2.5 * scale) - (3.0 + 5.0 - 3.125)).abs() < 1e-9);
    }
}

#[test]
fn what_cannot_be_fitted_says_why() {
    let error = |x: &[f64], y: &[f64], degree| fit(x, y, degree, 0.95).expect_err("refused");
    assert_eq!(error(&X, &Y[..9], 1), StatsError::LengthMismatch { left: 10, right: 9 });
    assert!(error(&X, &Y, 4).to_string().contains("degree = 4"));
    assert!(error(&[1.0; 10], &Y, 1).to_string().contains("1 different value, at least 2 needed"));
    assert!(error(&[1.0, 2.0], &[1.0, 2.0], 1).to_string().contains("2 points, at least 3 needed"));
    assert!(error(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0], 1).to_string().contains("one point alone"));
    assert!(error(&[1.0, f64::NAN, 2.0], &[1.0, 2.0, 3.0], 1).to_string().contains("not a finite number"));
    assert!(fit(&X, &Y, 1, 1.0).is_err());
}

#[test]
fn trends_equal_pymannkendall() {
    let up = mann_kendall(&SERIES).expect("enough values");
    assert_eq!(up.s, 140);
    close(up.z, 4.525662983662848, "z");
    close(up.slope, 0.00733333333333334, "slope");
    assert!((2.0 * up.p_rise / 6.020646030835408e-06 - 1.0).abs() < 1e-6, "{up:?}");
    assert!(up.p_fall > 0.9999);
    let mut back = SERIES;
    back.reverse();
    let down = mann_kendall(&back).expect("enough values");
    assert_eq!(down.s, -140);
    close(down.z, -up.z, "z of the reverse");
    close(down.p_fall, up.p_rise, "p of the reverse");
    close(down.first, up.last, "the line of the reverse");
}

#[test]
fn no_trend_is_no_trend() {
    let flat = mann_kendall(&[2.0; 10]).expect("enough values");
    assert_eq!((flat.s, flat.z, flat.slope, flat.first), (0, 0.0, 0.0, 2.0));
    assert!(flat.p_rise >= 0.5 && flat.p_fall >= 0.5);
    assert!(mann_kendall(&[1.0; 7]).is_err());
    assert!(mann_kendall(&[f64::NAN; 9]).is_err());
}
